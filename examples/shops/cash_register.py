"""Reads a shop's cash register out, and reports what it holds. It needs `penstock_pipes` alone."""

import random

from penstock_pipes import open_penstock_pipes

ARTICLES = {"bread": 3.2, "cheese": 6.9, "coffee": 2.4, "flowers": 12.5}

with open_penstock_pipes() as pipes:
    place = f"{pipes.get_extra('shop')}, {pipes.partition_key}"
    if pipes.get_extra("jammed"):
        raise SystemExit(f"the drawer is stuck ({place})")
    chance = random.Random(place)
    receipts = []
    for number in range(chance.randint(5, pipes.get_extra("customers"))):
        article = chance.choice(sorted(ARTICLES))
        amount = round(ARTICLES[article] * chance.randint(1, 4), 2)
        receipts.append({"number": number, "article": article, "amount": amount, "returned": chance.random() < 0.05})
    print(f"read {len(receipts)} receipts of {place}")
    pipes.log.info("the last receipt has number %d", receipts[-1]["number"])
    pipes.report_custom_message(receipts)
    pipes.report_asset_check(
        "no_receipt_is_missing", passed=[r["number"] for r in receipts] == list(range(len(receipts)))
    )
    pipes.report_asset_materialization(metadata={"receipts": len(receipts), "shop": pipes.get_extra("shop")})
