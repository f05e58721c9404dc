/* Plain ES5 for old browsers: language switch, sorting, search. The page is whole without it. */
(function () {
  'use strict';
  var root = document.documentElement;

  function each(list, work) { Array.prototype.forEach.call(list, work); }
  function all(selector, within) { return (within || document).querySelectorAll(selector); }
  function toggle(element, name, on) {
    var kept = (' ' + element.className + ' ').split(' ' + name + ' ').join(' ');
    element.className = (kept + (on ? name : '')).replace(/^\s+|\s+$/g, '');
  }

  function setLanguage(language) {
    var title = document.querySelector('title');
    toggle(root, 'lang-zh', language === 'zh');
    toggle(root, 'lang-en', language === 'en');
    root.lang = language === 'zh' ? 'zh-CN' : 'en';
    document.title = title.getAttribute('data-' + language);
  }

  function compare(a, b, numeric) {
    /* Empty values stay last in both directions: the caller turns only the others round. */
    return numeric ? a - b : a.localeCompare(b, 'zh-CN');
  }

  function cellValue(row, column) {
    var cell = row.cells[column];
    var value = cell.getAttribute('data-v');
    if (value !== null) { return value; }
    /* textContent would join both languages; the first span is enough to order by. */
    var span = cell.querySelector(root.lang === 'en' ? '.en' : '.zh');
    return (span || cell).textContent;
  }

  function sortBy(table, heading) {
    var numeric = heading.getAttribute('data-kind') === 'number';
    var downwards = numeric ? heading.className.indexOf('down') < 0 : heading.className.indexOf('up') >= 0;
    var body = table.tBodies[0];
    var rows = Array.prototype.map.call(body.rows, function (row, place) {
      return { row: row, place: place, value: cellValue(row, heading.cellIndex) };
    });
    rows.sort(function (a, b) {
      if (a.value === '' || b.value === '') {
        return (a.value === '') - (b.value === '') || a.place - b.place;
      }
      return (downwards ? -1 : 1) * compare(a.value, b.value, numeric) || a.place - b.place;
    });
    each(all('th', table.tHead), function (other) {
      toggle(other, 'up', false);
      toggle(other, 'down', false);
      other.removeAttribute('aria-sort');
    });
    toggle(heading, downwards ? 'down' : 'up', true);
    heading.setAttribute('aria-sort', downwards ? 'descending' : 'ascending');
    each(rows, function (item) { body.appendChild(item.row); });
  }

  function tools(panel) {
    var table = document.getElementById(panel.getAttribute('data-table'));
    var limit = Number(table.getAttribute('data-limit')) || Infinity;
    var find = panel.querySelector('.find');
    var only = panel.querySelector('.only');
    var open = false;

    function update() {
      var wanted = find.value.toLowerCase();
      var matching = 0;
      var shown = 0;
      each(table.tBodies[0].rows, function (row) {
        var hit = row.textContent.toLowerCase().indexOf(wanted) >= 0 &&
          (!only || !only.checked || row.className.indexOf('flagged') >= 0);
        var visible = hit && (open || matching < limit);
        if (hit) { matching += 1; }
        if (visible) { shown += 1; }
        toggle(row, 'hidden', !visible);
      });
      panel.querySelector('.now').textContent = shown;
      panel.querySelector('.of').textContent = matching;
      toggle(panel.querySelector('.more'), 'hidden', open || matching <= limit);
      toggle(panel.querySelector('.less'), 'hidden', !open || matching <= limit);
    }

    find.addEventListener('input', update);
    if (only) {
      only.checked = all('tbody tr.flagged', table).length > 0;
      only.addEventListener('change', update);
    }
    panel.querySelector('.more').addEventListener('click', function () { open = true; update(); });
    panel.querySelector('.less').addEventListener('click', function () { open = false; update(); });
    table.updateRows = update;
    update();
  }

  toggle(root, 'js', true);
  document.getElementById('lang').addEventListener('click', function () {
    setLanguage(root.lang === 'en' ? 'zh' : 'en');
  });
  each(all('.tools'), tools);
  each(all('table'), function (table) {
    each(all('.sort', table), function (heading) {
      function sort() {
        sortBy(table, heading.parentNode);
        if (table.updateRows) { table.updateRows(); }
      }
      heading.setAttribute('role', 'button');
      heading.setAttribute('tabindex', '0');
      heading.addEventListener('click', sort);
      heading.addEventListener('keydown', function (event) {
        if (event.keyCode === 13 || event.keyCode === 32) { event.preventDefault(); sort(); }
      });
    });
  });
}());
