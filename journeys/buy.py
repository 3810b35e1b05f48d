"""The way to the money: sign-in, a payment form in a frame, a receipt in a window of its own."""

from runner import Page, Step, expect, journey


@journey(every="5m", timeout="60s", tags=["checkout", "critical"])
def buy(page: Page, step: Step) -> None:
    """A customer signs in, buys a tea and opens the receipt."""
    with step("put a tea into the cart"):
        page.goto("/product/oolong")
        page.get_by_role("button", name="Add to cart").click()
        expect(page.get_by_role("heading", name="Your cart")).to_be_visible()

    with step("sign in"):
        page.get_by_role("link", name="Check out").click()
        page.get_by_label("Email").fill("tea@example.com")
        # The demo's password is printed on the page; a real one comes from `secrets["PASSWORD"].reveal()`.
        page.get_by_label("Password").fill("oolong-and-milk")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Checkout")).to_be_visible()

    with step("give the address"):
        page.get_by_label("Address").fill("1 Camellia Road")
        page.get_by_role("button", name="Continue to payment").click()
        expect(page.get_by_role("heading", name="Pay")).to_be_visible()

    with step("pay", budget="2s"):
        payment = page.frame_locator("iframe[title=Payment]")
        payment.get_by_label("Card number").fill("4242 4242 4242 4242")
        payment.get_by_role("button", name="Pay now").click()
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()

    with step("open the receipt"):
        with page.expect_popup() as popup:
            page.get_by_role("button", name="Open receipt").click()
        expect(popup.value.get_by_role("heading", name="Receipt")).to_be_visible()
