"""Actions that may change something irreversibly: they are listed before anything is run, and need a confirmation."""

import re

from reports.codegen.action import RecordedAction
from reports.codegen.rebuild_page import Found

WORDS = {
    "pay": (
        "pay",
        "make payment",
        "bezahlen",
        "zahlen",
        "payer",
        "pagar",
        "paga",
        "pagare",
        "betalen",
        "zapłać",
        "оплатить",
        "支付",
        "支払う",
    ),
    "buy": ("buy", "purchase", "kaufen", "acheter", "comprar", "compra", "acquista", "kopen", "kup", "купить", "购买", "購入"),
    "order": (
        "order",
        "place order",
        "checkout",
        "bestellen",
        "commander",
        "pedir",
        "ordina",
        "zamów",
        "заказать",
        "下单",
        "注文",
    ),
    "send": (
        "send",
        "submit",
        "senden",
        "absenden",
        "envoyer",
        "enviar",
        "invia",
        "verzenden",
        "wyślij",
        "отправить",
        "发送",
        "送信",
    ),
    "delete": (
        *(
            "delete",
            "remove",
            "erase",
            "discard",
            "löschen",
            "entfernen",
            "supprimer",
            "effacer",
            "eliminar",
            "borrar",
            "elimina",
        ),
        *("verwijderen", "usuń", "удалить", "删除", "削除"),
    ),
    "cancel": (
        "unsubscribe",
        "deactivate",
        "kündigen",
        "stornieren",
        "résilier",
        "annuler",
        "cancelar",
        "opzeggen",
        "отменить",
    ),
    "transfer": (
        "transfer",
        "withdraw",
        "refund",
        "überweisen",
        "virement",
        "transferir",
        "trasferisci",
        "overboeken",
        "перевести",
    ),
    "publish": ("publish", "post", "veröffentlichen", "publier", "publicar", "pubblica", "опубликовать", "发布", "公開"),
}
"""By what they do, in some of the languages that sites speak."""


def find_danger(action: RecordedAction, found: Found, name: str) -> str | None:
    """Why an action must not be repeated without confirmation; None for a harmless one.

    `name` is what the element is called. A click or Enter counts, not what is filled in.
    """
    if action.kind not in {"click", "press"}:
        return None
    word = find_word(f"{name} {action.said.name}")
    if word:
        return f"it {word}"
    facts = found.facts
    if facts.method == "post" and (facts.submits or action.kind == "press"):
        return "it submits a form with a password" if facts.password else "it submits a form (POST)"
    return None


def find_word(text: str) -> str:
    """What a text says of an irreversible action, such as `says “löschen” (delete)`; empty if it says nothing of one."""
    said = " ".join(re.findall(r"[^\W_]+", text.lower()))
    words = f" {said} "
    for does, spellings in WORDS.items():
        for one in spellings:
            # Chinese and Japanese put no spaces between words.
            if (f" {one} " in words) if one.isascii() or not re.search(r"[\u3040-\u9fff]", one) else (one in words):
                return f"says “{one}”" if one == does else f"says “{one}” ({does})"
    return ""
