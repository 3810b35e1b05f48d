"""Pages that never look the same twice, and the changes of a new build that are to be found in them.

Each is a page of a shop with one thing that varies from load to load: a clock, a carousel, an animation, a font that arrives late, an
advertisement. What varies is drawn by the page itself, alike for every build.
"""

from collections.abc import Mapping

KINDS = ("clock", "carousel", "animation", "late font", "advertisement")
CHANGES: Mapping[str, tuple[str, ...]] = {
    "moved": ("1 px", "2 px", "4 px", "16 px"),
    "colour": ("2 %", "5 %", "10 %", "30 %"),
    "missing icon": ("12 px", "16 px", "24 px", "48 px"),
    "changed digit": ("10 px", "14 px", "20 px", "32 px"),
    "other font": ("one word", "one line", "a paragraph", "the page"),
}
"""The changes that are made, each in its sizes."""

_PARTS = {
    "clock": '<p id="restless" style="font:20px monospace">now: <b></b></p>'
    "<script>setInterval(() => { document.querySelector('#restless b').textContent ="
    " new Date(Date.now() * 7).toISOString().slice(11, 19); }, 100)</script>",
    "carousel": '<div id="restless" style="height:160px;color:#fff;font-size:32px;padding:20px"></div><script>'
    "const slides = [['#8c2f39', 'Autumn sale'], ['#1d4e89', 'Free delivery'], ['#2f6b3a', 'New: white tea'], ['#5b3a80', 'Gift cards']];"
    "const [colour, text] = slides[Math.floor(Math.random() * slides.length)];"
    "const box = document.querySelector('#restless'); box.style.background = colour; box.textContent = text;</script>",
    "animation": '<canvas id="restless" width="400" height="160"></canvas><style>@keyframes turn { to { transform: rotate(360deg); } }'
    "#spin { width: 40px; height: 40px; background: #c63; animation: turn 1s linear infinite; }</style><div id=spin></div><script>"
    "const canvas = document.querySelector('#restless').getContext('2d');"
    "(function draw() { canvas.clearRect(0, 0, 400, 160); canvas.fillStyle = '#27684f'; canvas.beginPath();"
    " canvas.arc(200 + 150 * Math.cos(performance.now() / 500 + Math.random()), 80, 30, 0, 7); canvas.fill();"
    " requestAnimationFrame(draw); })()</script>",
    "late font": '<p id="restless" style="font:24px serif">The leaves of spring are very delicate.</p>'
    "<script>setTimeout(() => { document.querySelector('#restless').style.fontFamily = 'monospace'; }, Math.random() * 300)</script>",
    "advertisement": '<div id="restless" style="width:300px;height:250px"></div><script>'
    "const hue = Math.floor(Math.random() * 6) * 60, box = document.querySelector('#restless');"
    "box.style.background = `hsl(${hue} 70% 60%)`; box.textContent = ['Fly to Rome', 'Buy a car', 'Learn Danish'][Math.floor(Math.random() * 3)];"
    "</script>",
}
_COLOURS = {"": "#2f6690", "2 %": "#2e648d", "5 %": "#2d6189", "10 %": "#2a5c82", "30 %": "#214765"}
_WORDS = "Our green tea is picked in spring, and our black tea in summer; both are dried in the shade for a week."


def make_page(kind: str, change: str = "", size: str = "") -> str:
    """The page with what varies in it, in the new build if a change is named."""

    def changed(name: str, usual: str, otherwise: str, sizes: tuple[str, ...] = ()) -> str:
        return otherwise if change == name and (not sizes or size in sizes) else usual

    moved = changed("moved", "0", size.split(" ")[0])
    colour = _COLOURS[size if change == "colour" else ""]
    icons = "".join(
        f'<span style="display:inline-block;width:{one};height:{one};margin:4px;border-radius:50%;background:#444;'
        f'visibility:{changed("missing icon", "visible", "hidden", (f"{one[:-2]} px",))}"></span>'
        for one in ("12px", "16px", "24px", "48px")
    )
    prices = "".join(
        f'<span style="font-size:{one};margin-right:20px">€ 1{changed("changed digit", "2", "3", (f"{one[:-2]} px",))}.50</span>'
        for one in ("10px", "14px", "20px", "32px")
    )
    fonts = {one: changed("other font", "sans-serif", "serif", (one,)) for one in CHANGES["other font"]}
    return f"""<!doctype html><meta charset=utf-8><title>Tea</title>
<body style="margin:0;font:16px {fonts["the page"]};background:#fff;color:#222">
<header style="background:{colour};color:#fff;padding:16px 24px;font-size:22px">Tea of the mountains</header>
<main style="padding:24px">
<p>{_WORDS}</p><p style="font-family:{fonts["a paragraph"]}">{_WORDS}<br>{_WORDS}</p>
<p style="font-family:{fonts["one line"]}">Free delivery from 30 euros.</p>
<p>Water of <span style="font-family:{fonts["one word"]}">eighty</span> degrees, three minutes.</p>
<div>{icons}</div><p>{prices}</p>
<button style="position:relative;left:{moved}px;padding:10px 20px;border:0;background:#27684f;color:#fff;font:inherit">Add to cart</button>
<div style="margin-top:60px">{_PARTS[kind]}</div></main>"""
