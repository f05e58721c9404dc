(function () {
  "use strict";
  function each(list, f) { Array.prototype.forEach.call(list, f); }
  function hide(hidden) {
    var q = ".hide-succeeded-validation-target-child, .hide-succeeded-validation-target";
    each(document.querySelectorAll(q), function (e) {
      var row = /target-child/.test(e.className) ? e.parentNode : e;
      row.classList.toggle("ge-hidden", hidden);
    });
    var sections = ".hide-succeeded-validations-column-section-target-child";
    each(document.querySelectorAll(sections), function (e) {
      var box = e.parentNode.parentNode;
      box.classList.toggle("ge-hidden", hidden);
      each(document.querySelectorAll('a[href$="#' + box.id + '"]'), function (a) {
        a.classList.toggle("ge-hidden", hidden);
      });
    });
  }
  window.showAllValidations = function () { hide(false); };
  window.hideSucceededValidations = function () { hide(true); };
  each(document.querySelectorAll(".btn-group label"), function (l) {
    l.addEventListener("click", function () {
      each(l.parentNode.querySelectorAll("label"), function (o) {
        o.classList.toggle("active", o === l);
      });
    });
  });
  each(document.querySelectorAll('[data-toggle="collapse"]'), function (b) {
    b.addEventListener("click", function (event) {
      event.preventDefault();
      var target = b.getAttribute("data-target") || b.getAttribute("href");
      each(document.querySelectorAll(target), function (e) { e.classList.toggle("show"); });
    });
  });
}());
