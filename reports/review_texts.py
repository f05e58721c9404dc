"""The fixed texts of the review workbook in Chinese and English."""

from __future__ import annotations

from audit.model import Label

SAME, DIFFERENT, OPEN = "same", "different", "open"
ANSWERS = {
    SAME: Label("同一单位", "the same unit"),
    DIFFERENT: Label("不同单位", "different units"),
    OPEN: Label("暂不能定", "cannot tell yet"),
}
"""Answers to one pair."""

REVIEW_TEXTS = {
    "sheet_review": Label("待人工判定", "Review"),
    "title_review": Label("{place}待人工判定的单位对", "{place}: pairs to decide"),
    "band_pair": Label("序", "No."),
    "band_name": Label("名称", "Name"),
    "band_code": Label("统一社会信用代码", "Credit code"),
    "band_person": Label("法定代表人或经营者", "Legal representative or operator"),
    "band_phone": Label("电话", "Telephone"),
    "band_address": Label("地址", "Address"),
    "band_record": Label("来自何表、标识", "Table and id"),
    "band_matcher": Label("计算机的比较", "What the matcher saw"),
    "band_decision": Label("判定", "Decision"),
    "pair_no": Label("序", "No."),
    "probability": Label("可能性", "Probability"),
    "relation": Label("关系", "Relation"),
    "comparison": Label("各项比较", "Field by field"),
    "linked": Label("已有的匹配", "Linked already"),
    **{
        f"{side}_{key}": Label(zh, en)
        for side, zh, en in (("left", "左", "Left"), ("right", "右", "Right"))
        for key in ("name", "credit_code", "owner", "phone", "address", "record")
    },
    "answer": Label("判定结果", "Decision"),
    "answer_basis": Label("依据", "Basis"),
    "answer_note": Label("说明", "Note"),
    "answer_person": Label("判定人", "Decided by"),
    "answer_date": Label("日期", "Date"),
    "left_id": Label("左标识", "Left id"),
    "right_id": Label("右标识", "Right id"),
    "left_table": Label("左表", "Left table"),
    "right_table": Label("右表", "Right table"),
    "pair_hash": Label("校验", "Row hash"),
    "review_how_1": Label(
        "1. 每行是一对可能是同一单位的记录，按可能性和影响程度排列；不同的字标红。"
        "“已有的匹配”栏有字的，记录已归另一单位，判为同一单位前先核对那一单位。",
        "1. Each row is a pair that may be one unit, the likeliest and most influential first; "
        "characters that differ are red. Where 'Linked already' says that a record belongs to "
        "another unit, look at that unit first.",
    ),
    "review_how_2": Label(
        "2. 在黄色列选“同一单位”“不同单位”或“暂不能定”；前两种须填依据和判定人。空着的下次还会问。",
        "2. In the yellow columns choose the same unit, different units or cannot tell yet; the "
        "first two need a basis and a person. What is left empty is asked again.",
    ),
    "review_how_3": Label(
        "3. 法人与其本部、同一负责人的几家企业、同一市场的不同摊位不是同一单位。",
        "3. A legal entity and its headquarters, several firms of one person and stalls of one "
        "market are different units.",
    ),
    "review_how_4": Label(
        "4. 只填黄色列，不要增删行、不要改其他列；填好后交回："
        "census-audit decide 输出文件夹 本文件。判定长期有效，不再重问。",
        "4. Fill in the yellow columns only, add and delete no rows; hand it in with "
        "census-audit decide OUT FILE. Decisions bind and are never asked again.",
    ),
    "review_how_4_match": Label(
        "4. 只填黄色列，不要增删行、不要改其他列；填好后重新匹配："
        "census-audit match … --decided 本文件。",
        "4. Fill in the yellow columns only, add and delete no rows; match again with "
        "census-audit match … --decided FILE.",
    ),
    "review_sign": Label("负责人签字：__________", "Approved by: __________"),
    "review_rows": Label("本册 {n} 对", "{n} pairs"),
    "review_basis_title": Label("依据", "Basis"),
    "review_person_title": Label("判定人", "Decided by"),
    "review_person_text": Label("填写判定人姓名", "Write who decided"),
}
