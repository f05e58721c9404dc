"""The fixed texts of the workbooks in Chinese and English."""

from __future__ import annotations

from audit.model import Label
from reports.review_texts import REVIEW_TEXTS

LANGUAGES = ("zh", "en")


def say(key: str, lang: str, **fields: object) -> str:
    """Return the text `key` in `lang` ('zh' or 'en'), with its fields filled in."""
    label = TEXTS[key]
    return (label.zh if lang == "zh" else label.en).format(**fields)


def choices(labels: tuple[Label, ...], lang: str) -> list[str]:
    """Return the entries of a dropdown list in `lang`."""
    return [label.zh if lang == "zh" else label.en for label in labels]


RESULTS = (
    Label("1 属实", "1 true as reported"),
    Label("2 有误已更正", "2 wrong and corrected"),
    Label("3 查无此单位", "3 no such unit"),
    Label("4 重复", "4 duplicate"),
    Label("5 不属本地或本专业", "5 not ours (place or specialty)"),
    Label("6 待上级认定", "6 for the higher office"),
    Label("7 拒访或联系不上", "7 refused or not reached"),
)
"""Answer to one finding; the digit in front is the code."""

RESULT_RULES = (
    Label(
        "数值真实，须在“说明”中写明真实、合理的原因，不得只写“核实无误”；强制性差错另须附依据并经上级认定",
        "true; give the real reason, not just 'checked'; fatal: evidence and approval from above",
    ),
    Label(
        "由单位更正，须填“更正值”和“依据”；普查员不得代改",
        "the respondent corrects it; give the corrected value and the evidence",
    ),
    Label(
        "按地址和电话都找不到，写明查找经过", "not found by address or phone; say how you looked"
    ),
    Label("在“更正值”中填写重复的另一单位标识", "put the other unit's id under Corrected value"),
    Label("写明应归属的地区或专业", "say which place or specialty it belongs to"),
    Label("写明争议所在", "say what is disputed"),
    Label("写明时间和次数", "say when and how often you tried"),
)
"""What each result asks for, in the order of RESULTS."""

EVIDENCE = (
    Label("财务报表", "financial statements"),
    Label("营业执照", "business licence"),
    Label("纳税申报", "tax return"),
    Label("工资表", "payroll"),
    Label("现场查看", "seen on site"),
    Label("电话核实", "by telephone"),
    Label("其他", "other"),
)
"""What an answer rests on."""

VISITS = (
    Label("1 已上门核查", "1 visited"),
    Label("2 已电话核查", "2 telephoned"),
    Label("3 查无此单位", "3 no such unit"),
    Label("4 已迁出或关闭", "4 moved or closed"),
    Label("5 拒访或联系不上", "5 refused or not reached"),
    Label("6 相符", "6 agrees"),
    Label("7 不符（写明项目、原值、实际值）", "7 differs (item / reported / actual)"),
)
"""Result of the visit to one unit; 6 and 7 are for units drawn at random."""

EXAMPLES = (
    (
        Label("女性人数大于期末人数", "more women than employees"),
        Label("2 有误已更正", "2 wrong and corrected"),
        Label("12", "12"),
        Label("工资表", "payroll"),
        Label("填报时两栏颠倒", "two columns were swapped"),
    ),
    (
        Label("同一电话出现在多个单位", "one phone number at several units"),
        Label("1 属实", "1 true as reported"),
        Label("", ""),
        Label("现场查看", "seen on site"),
        Label("三家为同一业主，共用一部电话", "three units of one owner share a phone"),
    ),
)
"""Two filled examples: finding, result, corrected value, evidence, explanation."""

TEXTS = REVIEW_TEXTS | {
    # sheets
    "sheet_guide": Label("填写说明", "Instructions"),
    "sheet_summary": Label("核查情况汇总表", "Summary"),
    "sheet_units": Label("单位核查表", "Units"),
    "sheet_findings": Label("核查差错一览表", "Findings"),
    "sheet_index": Label("目录", "Index"),
    "sheet_leads": Label("线索", "Leads"),
    "sheet_conclusions": Label("评估结论", "Conclusions"),
    # titles
    "title_guide": Label("{place}经济普查数据质量核查册", "{place}: census verification workbook"),
    "title_summary": Label("{place}核查情况汇总表", "{place}: summary by township"),
    "title_units": Label("{place}单位核查表", "{place}: units to visit"),
    "title_findings": Label("{place}核查差错一览表", "{place}: findings to answer"),
    "title_index": Label("核查册目录  批次 {run}", "Verification workbooks, run {run}"),
    "title_conclusions": Label(
        "评估结论  由质量抽查、报送拦截等直接得出，由数据质量管理组办理；不是单位差错，各县不答复",
        "Conclusions: drawn from the quality check and from what intake stopped; for the data "
        "quality group, no unit's error, and not for the counties to answer",
    ),
    "index_draw": Label(
        "{draw}：应抽 {wanted} 个单位，实抽 {drawn} 个",
        "{draw}: {wanted} units wanted, {drawn} drawn",
    ),
    "index_draw_people": Label(
        "{draw}：普查员 {people} 人，应抽 {wanted} 个单位，实抽 {drawn} 个",
        "{draw}: {people} enumerators, {wanted} units wanted, {drawn} drawn",
    ),
    "index_beside": Label(
        "另有评估结论 {conclusions} 条、线索 {leads} 条，见后面的表，不计入以上各数",
        "Not among these numbers, on sheets of their own: conclusions {conclusions}, leads {leads}",
    ),
    "title_leads": Label(
        "线索  仅供数据质量管理组研判，不是单位差错，也不作为认定依据",
        "Leads: for the data quality group only; no unit's error, and never proof",
    ),
    # guide
    "no_findings": Label("无差错：本批次未发现需要核查的差错。", "No findings in this run."),
    "no_findings_random": Label(
        "无差错：本批次未发现差错；另有随机抽查单位 {units} 个须核查，见“单位核查表”。",
        "No findings in this run; {units} units drawn at random are to be visited: see Units.",
    ),
    "guide_place": Label("地区", "Place"),
    "guide_run": Label("批次", "Run"),
    "guide_export": Label("导出号", "Export id"),
    "guide_rules": Label("规则库版本", "Rulebook version"),
    "guide_counts": Label("数量", "Rows"),
    "guide_counts_value": Label(
        "须核查单位 {units} 个 = 有差错 {flagged} 个 + 随机抽查 {random} 个；差错 {findings} 条",
        "{units} units to visit = {flagged} with findings + {random} at random; "
        "{findings} findings",
    ),
    "guide_due": Label("完成期限", "Due"),
    "guide_due_none": Label("按通知要求", "as notified"),
    "guide_how": Label("填写办法", "How to fill in"),
    "guide_how_1": Label(
        "1. 下发的文件为只读：先复制一份再填写，文件名不变。",
        "1. The file as issued is read-only: copy it, keep its name, and fill in the copy.",
    ),
    "guide_how_2": Label(
        "2. 按“单位核查表”逐户核查，一次上门核实该单位的全部差错，并填写核查情况、核查人、日期。",
        "2. Work through the Units sheet; settle all findings of a unit in one visit, and note the "
        "visit's result, who went, and the day.",
    ),
    "guide_how_3": Label(
        "3. 在“核查差错一览表”的黄色栏内逐条答复，“同一事实”栏有字的行不必另答；"
        "其他栏已锁定，请勿改动、增删行列。",
        "3. Answer each finding in the yellow columns, but those marked 'Same fact'; all else is "
        "locked; add or delete no rows.",
    ),
    "guide_how_4": Label(
        "4. 强制性差错原则上必须更正；确属无误（如证照原件如此）须附依据并经上级认定。"
        "核实性、提示性差错应当核实，确属真实的写明原因。",
        "4. Fatal findings are corrected; one that is right as it is (so says the licence itself) "
        "needs evidence and approval from above. Others are checked and explained.",
    ),
    "guide_how_5": Label(
        "5. 数据只能由调查对象更正，更正应有依据；核查人员不得代填、代改。",
        "5. Only the respondent corrects a value, with evidence; nobody fills it in for them.",
    ),
    "guide_how_6": Label(
        "6. 状态：新增（绿色）为本批次首次发现，延续为以前发现尚未消除，"
        "重现（橙色）为消除后再次出现。电话联系时可报“差错标识”前 8 位。",
        "6. State: new (green), persisting, or reopened (orange: gone and back). "
        "On the telephone, name a finding by its 8 characters.",
    ),
    "guide_how_7": Label(
        "7. 填完后打印（单位核查表、核查差错一览表用 A3 纸横向）、签字盖章留存，"
        "本文件按原文件名报回；有疑问请与下发本册的普查机构联系。",
        "7. Print (Units and Findings: A3 landscape), sign and keep a copy; "
        "return the file, same name, to the office that sent it.",
    ),
    "guide_how_8": Label(
        "8. 程序不读入本册：更正的值还须由报送单位改入报送文件，重新报送。",
        "8. The program does not read this workbook: corrected values also go into the delivered "
        "file, which is delivered again.",
    ),
    "guide_random": Label("随机抽查单位", "Units drawn at random"),
    "guide_random_1": Label(
        "1. “核查事由”为随机抽查的单位没有差错，抽来检验数据质量，同样须实地核查，不得替换。",
        "1. Nothing was found at these units; they test the quality of the data. "
        "Visit them too; none may be exchanged.",
    ),
    "guide_random_2": Label(
        "2. 逐项核对：是否存在、名称、代码、地址、主要业务活动、从业人员、营业收入。",
        "2. Check: existence, name, code, address, activity, employees, revenue.",
    ),
    "guide_random_3": Label(
        "3. 全部一致选“6 相符”；有一项不一致选“7 不符”，并在“核查说明”中写明项目、原值、实际值。",
        "3. All agree: 6. Any differs: 7, and note the item, the reported and the actual value.",
    ),
    "guide_issued": Label("下发日期", "Issued on"),
    "guide_who": Label("填写人", "Filled in by"),
    "guide_who_value": Label(
        "县、乡两级普查机构的核查组（核查人填写并签字，负责人审核签字）",
        "verification team of the county or township office; its head approves",
    ),
    "guide_plan": Label(
        "“预案条款”指《衡阳市第四次全国经济普查预防风险工作预案》（衡经普办〔2019〕19号）的条款。",
        "'Plan clause' is a clause of the Hengyang risk plan for the fourth census (2019-19).",
    ),
    "guide_visits": Label(
        "“核查情况”代码（单位核查表）：{codes}", "Visit results (Units sheet): {codes}"
    ),
    "guide_results": Label("核查结果代码", "Result codes"),
    "guide_result_rule": Label("填写要求", "What it asks for"),
    "guide_examples": Label("填写示例", "Examples"),
    "guide_rulelist": Label("本册涉及的审核规则", "Rules in this workbook"),
    "guide_secret": Label(
        "本册含普查对象资料，属于保密内容：仅限核查人员使用，不得外传、留存电子副本或用于普查以外的目的。",
        "Contains census data: for the verification team only; do not pass on, copy or reuse.",
    ),
    # bands
    "band_key": Label("序号与单位", "Row and unit"),
    "band_why": Label("为何提示", "Why flagged"),
    "band_who": Label("哪个单位", "Which unit"),
    "band_values": Label("有关数值", "Values concerned"),
    "band_answer": Label("您的答复", "Your answer"),
    "band_unit": Label("单位情况", "Unit"),
    "band_reason": Label("核查事由", "Reason"),
    "band_visit": Label("核查情况（请填写）", "Visit (please fill in)"),
    # columns
    "no": Label("序号", "No."),
    "unit_no": Label("单位序号", "Unit no."),
    "severity": Label("差错性质", "Severity"),
    "rule_id": Label("规则编号", "Rule"),
    "message": Label("差错说明", "What is wrong"),
    "clause": Label("预案条款", "Plan clause"),
    "township": Label("乡镇（街道）", "Township"),
    "place_id": Label("单位标识", "Unit id"),
    "credit_code": Label("统一社会信用代码", "Credit code"),
    "name": Label("单位详细名称", "Name"),
    "related": Label("相关对象", "Related"),
    "item": Label("指标", "Item"),
    "observed": Label("填报值", "Reported"),
    "expected": Label("对照值", "Compared with"),
    "difference": Label("差额", "Difference"),
    "same": Label("同一事实", "Same fact"),
    "result": Label("核查结果▼", "Result ▼"),
    "correction": Label("更正值", "Corrected value"),
    "evidence": Label("依据▼", "Evidence ▼"),
    "explanation": Label("说明", "Explanation"),
    "visitor": Label("核查人", "Checked by"),
    "date": Label("日期", "Date"),
    "finding_key": Label("差错标识（全）", "Full finding key"),
    "short_key": Label("差错标识", "Finding key"),
    "state": Label("状态", "State"),
    "first_run": Label("首次批次", "First run"),
    "state_new": Label("新增", "new"),
    "state_persisting": Label("延续", "persisting"),
    "state_reopened": Label("重现", "reopened"),
    "row_hash": Label("行校验", "Row hash"),
    "township_code": Label("乡级代码", "Township code"),
    "kind": Label("单位类别", "Kind"),
    "address": Label("地址", "Address"),
    "phone": Label("联系电话", "Phone"),
    "contact": Label("联系人", "Contact"),
    "enumerator": Label("普查员", "Enumerator"),
    "n_findings": Label("差错数", "Findings"),
    "n_fatal": Label("其中强制性", "of which fatal"),
    "reason": Label("核查事由", "Reason"),
    "due_on": Label("完成期限", "Due"),
    "visit": Label("核查情况▼", "Visit result ▼"),
    "units": Label("单位数", "Units"),
    "visit_note": Label("核查说明", "Visit note"),
    "units_visit": Label("须核查单位", "Units to visit"),
    "units_flagged": Label("其中有差错", "with findings"),
    "units_random": Label("其中随机抽查", "at random"),
    "false_positives": Label("易误判情形", "When it may be right"),
    "fatal": Label("强制性", "Fatal"),
    "query": Label("核实性", "Query"),
    "info": Label("提示性", "Info"),
    "total": Label("合计", "Total"),
    "answered": Label("已答复", "Answered"),
    "outstanding": Label("未答复", "Outstanding"),
    "title": Label("规则名称", "Title"),
    "verify": Label("核查要点", "What to verify"),
    "code": Label("区划代码", "Region"),
    "place": Label("地区", "Place"),
    "file": Label("文件", "File"),
    "digest": Label("文件摘要 SHA-256", "SHA-256"),
    "subject": Label("对象", "Subject"),
    "random": Label("随机抽查", "Random check"),
    # messages
    "stop_title": Label("请从下拉列表中选择", "Choose from the list"),
    "stop_text": Label(
        "只能填写下拉列表中的内容。可清空后重新选择。",
        "Only entries of the list; clear and choose again.",
    ),
    "date_title": Label("日期不对", "Not a date"),
    "date_text": Label("请填写日期，例如 2019-05-20。", "Give a date such as 2019-05-20."),
    "explain_title": Label("说明", "Explanation"),
    "explain_text": Label(
        "写真实、合理的原因，不得只写“核实无误”。", "Give the real reason, not just 'checked'."
    ),
    "visit_title": Label("核查说明", "Visit note"),
    "visit_text": Label(
        "核查情况为 7 时写明项目、原值、实际值；其他情况按需填写。",
        "Result 7: the item, the reported and the actual value. Otherwise as needed.",
    ),
    "correct_title": Label("更正值", "Corrected value"),
    "correct_text": Label(
        "核查结果为 2 时填单位更正后的值；为 4 时填重复的另一单位标识。",
        "Result 2: the respondent's corrected value. Result 4: the other unit's id.",
    ),
    "footer_page": Label("第 &P 页 共 &N 页", "Page &P of &N"),
    "footer_sign": Label(
        "核查人签字：____________  负责人签字：____________",
        "Checked by: ____________  Approved by: ____________",
    ),
}
"""Every text by its key; `{}` fields are named in the text."""
