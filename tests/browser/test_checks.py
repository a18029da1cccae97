"""The badge of the sidebar: what a long journey's checks show once they are done."""

from playwright.sync_api import expect


def test_a_long_journey_is_checked_where_it_is_opened_and_the_list_stays_open(visitor):
    visitor.open("/tokens", prompt="Once upon a time there was a little girl. " * 15)
    badge = visitor.page.get_by_role("button", name="Check this journey")
    badge.click()
    expect(
        visitor.page.get_by_role("button", name="Check against transformers now")
    ).to_be_visible()
    expect(visitor.page.get_by_role("region", name="Checks")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Checks hold")).to_be_visible()
