import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from tokenjourney.figures.export import csv_bytes, matrix_table


@given(
    st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
)
def test_any_token_comes_back_from_the_csv(tokens):
    data = csv_bytes((["token"], [(token, 1.5) for token in tokens])).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(data, newline="")))[1:]
    assert [row[0].removeprefix("'") for row in rows] == [t.removeprefix("'") for t in tokens]


def test_a_token_that_a_spreadsheet_would_run_is_kept_a_text():
    assert b"'=HYPERLINK" in csv_bytes((["token"], [("=HYPERLINK(1)",)]))
    assert b"'" not in csv_bytes((["token"], [("=",), ("a=b",), (-1.5,)]))


def test_a_spreadsheet_recognises_the_encoding():
    assert csv_bytes((["·"], [])).startswith(b"\xef\xbb\xbf")


def test_a_matrix_becomes_one_row_per_cell():
    columns, rows = matrix_table(
        [[1, 2], [3, 4]], rows=["a", "b"], columns=["c", "d"], row_name="query", column_name="key",
        value_name="share",
    )  # fmt: skip
    assert columns == ["query", "key", "share"]
    assert rows == [("a", "c", 1.0), ("a", "d", 2.0), ("b", "c", 3.0), ("b", "d", 4.0)]
