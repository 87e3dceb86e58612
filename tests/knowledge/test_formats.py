"""Formats: what becomes of each kind of file."""

import datetime

import pytest

from knowledge.chunking import Limit, split
from knowledge.documents import BREAK, Document
from knowledge.formats import NoContent, read
from tests.knowledge import office

TAB = "\t"


def test_a_pdfs_lines_are_joined_where_only_the_margin_broke_them():
    content = office.pdf(
        [
            "第3章　休暇",
            "従業員は毎年二十日の年次有給休暇を取得することができますが、翌年",
            "に繰り越すことができるのは十日までとします。申請は前日までに行",
            "- 3 -",
        ],
        ["ってください。", "Ten days may be carried over if the request is made before the", "end of March.", "4 / 12"],
    )

    assert read("a.PDF", content).text == (
        "第3章　休暇\n従業員は毎年二十日の年次有給休暇を取得することができますが、翌年に繰り越すことができるのは"
        "十日までとします。申請は前日までに行\n\nってください。\n"
        "Ten days may be carried over if the request is made before the end of March."
    )


def test_a_number_within_a_pdfs_page_is_kept():
    assert read("a.pdf", office.pdf(["定員", "8", "名です。"])).text == "定員\n8\n名です。"


def test_a_word_document_keeps_headings_lists_and_tables():
    def write(document):
        document.add_heading("旅費規程", 0)
        document.add_heading("宿泊", 1)
        document.add_paragraph("上限は次のとおりです。")
        document.add_paragraph("国内", style="List Bullet")
        table = document.add_table(rows=3, cols=2)
        for row, cells in enumerate([("地域", "上限"), ("東京", "9,000円"), ("", "8,000円")]):
            table.cell(row, 0).text, table.cell(row, 1).text = cells
        table.cell(1, 0).merge(table.cell(2, 0))
        document.add_heading("経費", 2)
        document.add_paragraph("25日まで。")

    content = read("a.docx", office.word(write))

    assert content.title == "旅費規程"
    assert content.text == (
        "# 旅費規程\n\n# 宿泊\n\n上限は次のとおりです。\n\n- 国内\n\n"
        "| 地域 | 上限 |\n| --- | --- |\n| 東京 | 9,000円 |\n| 東京 | 8,000円 |\n\n## 経費\n\n25日まで。"
    )


def test_slides_are_sections_with_tables_and_notes_and_hidden_ones_are_left_out():
    content = read("a.pptx", office.slides())

    assert content.title == "在宅勤務の説明"
    assert content.text == (
        "## 在宅勤務の説明\n\n週3日まで\n申請は前日まで\n\nよく聞かれる所です。\n\n"
        "## 費用\n\n| 項目 | 額 |\n| --- | --- |\n| 机 | 3万円 |"
    )


def test_a_sheet_is_a_table_under_its_name():
    def write(sheet):
        sheet.append(["会議室一覧"])
        sheet.merge_cells("A1:C1")
        sheet.append([])
        sheet.append(["階", "部屋", "定員"])
        sheet.append(["3階", "カモメ", 8])
        sheet.append([None, "タコ|大", 6.0])
        sheet.merge_cells("A4:A5")

    assert read("a.xlsx", office.workbook(write)).text == (
        f"## 一覧\n\n会議室一覧{BREAK}## 一覧\n\n"
        "| 階 | 部屋 | 定員 |\n| --- | --- | --- |\n| 3階 | カモメ | 8 |\n| 3階 | タコ\\|大 | 6 |"
    )


def test_cells_say_what_people_see():
    def write(sheet):
        sheet.append(["日付", datetime.datetime(2026, 11, 25), datetime.datetime(2026, 11, 25, 9, 30)])
        sheet.append([0.1, "=1/0", "#N/A"])
        sheet["A2"].number_format = "0%"

    assert read("a.xlsx", office.workbook(write)).text.split("\n")[2:] == [
        "| 日付 | 2026-11-25 | 2026-11-25 09:30 |",
        "| --- | --- | --- |",
        "| 10% |  |  |",
    ]


def test_questions_in_a_sheet_are_parts_with_their_answers():
    def write(sheet):
        sheet.append(["よくある質問"])
        sheet.append(["No", "質問", "回答"])
        sheet.append([1, "返品できますか？", "14日以内なら。\n送料は別です。"])
        sheet.append([2, "送料は？", "無料です。"])

    document = Document("d", "FAQ", "a.xlsx", read("a.xlsx", office.workbook(write)).text, frozenset({"public"}))

    assert [(chunk.heading_path, chunk.text) for chunk in split(document, Limit(512, len))] == [
        (("一覧",), "よくある質問"),
        (("一覧",), "Q: 返品できますか？\nA: 14日以内なら。 送料は別です。"),
        (("一覧",), "Q: 送料は？\nA: 無料です。"),
    ]


def test_hidden_sheets_are_left_out():
    def write(sheet):
        sheet.append(["見える"])
        hidden = sheet.parent.create_sheet("給与")
        hidden.append(["社外秘"])
        hidden.sheet_state = "hidden"

    assert read("a.xlsx", office.workbook(write)).text == "## 一覧\n\n| 見える |\n| --- |"


def test_a_stray_cell_in_the_far_corner_costs_nothing():
    def write(sheet):
        sheet.append(["部屋", "定員"])
        sheet["XFD1048576"] = "x"

    assert "| 部屋 | 定員 |  |" in read("a.xlsx", office.workbook(write)).text


@pytest.mark.parametrize("delimiter", [",", ";", TAB])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp932", "euc_jp"])
def test_a_csv_is_read_with_the_delimiter_and_encoding_that_it_has(delimiter, encoding):
    text = '質問,回答\r\n"A,B;Cとは？","一行目\r\n二行目"\r\n'.replace(",", delimiter)

    said = read("faq.csv", text.encode(encoding)).text

    assert said == f"Q: A{delimiter.replace(TAB, ' ')}B;Cとは？\nA: 一行目 二行目"


def test_long_rows_say_their_columns():
    text = f"品名,説明\nペン,{'あ' * 300}\n机,短い\n"

    assert read("a.csv", text.encode()).text == f"品名: ペン\n説明: {'あ' * 300}{BREAK}品名: 机\n説明: 短い"


def test_a_question_without_an_answer_is_kept():
    assert read("a.tsv", "質問\t回答\n送料は？\t\n\t以上\n".encode()).text == f"質問: 送料は？{BREAK}回答: 以上"


def test_cells_of_a_web_page_that_span_rows_and_columns_stay_in_their_columns():
    page = (
        "<table><tr><th rowspan=2>階</th><th colspan=2>部屋</th></tr><tr><td>カモメ</td><td rowspan=2>8</td></tr>"
        "<tr><td rowspan=x>2階</td><td>タコ</td></tr><tr><td colspan=999999999>なし</td></tr></table>"
    )

    assert (
        read("a.html", page.encode()).text
        == "| 階 | 部屋 | |\n| --- | --- | --- |\n| 階 | カモメ | 8 |\n| 2階 | タコ | 8 |\n| なし | | |"
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.doc", "an Office file of before 2007: save it as .docx"),
        ("a.XLS", "an Office file of before 2007: save it as .xlsx"),
        ("a.zip", "not a kind of file that is read"),
        ("a", "not a kind of file that is read"),
    ],
)
def test_other_kinds_are_refused_with_a_reason(name, reason):
    with pytest.raises(NoContent, match=f"^{reason}$"):
        read(name, b"x")
