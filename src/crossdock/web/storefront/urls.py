"""The buyer's addresses."""

from django.urls import path

from crossdock.web.device import with_device
from crossdock.web.storefront import (
    browse,
    cancelling,
    cart,
    checkout,
    messages,
    offers,
    orders,
    returning,
    searches,
    selling,
    withdrawing,
)

urlpatterns = [
    path("", browse.browse, name="browse"),
    path("category/<slug:key>/", browse.category, name="category"),
    path("l/<slug:public_id>/", browse.listing, name="listing"),
    path("l/<slug:public_id>/offer/", offers.make, name="make_offer"),
    path("offers/", offers.mine, name="my_offers"),
    path("offers/<slug:public_id>/", offers.one, name="my_offer"),
    path("offers/<slug:public_id>/answer/", offers.answer, name="my_offer_answer"),
    path("offers/<slug:public_id>/pay/", offers.pay, name="my_offer_pay"),
    path("s/<slug:slug>/", browse.seller, name="seller"),
    path("cart/", cart.show, name="cart"),
    path("cart/add/", cart.add, name="cart_add"),
    path("cart/change/", cart.change, name="cart_change"),
    path("cart/drop/", cart.drop, name="cart_drop"),
    path("checkout/", with_device(checkout.address), name="checkout"),
    path("checkout/pay/", checkout.pay, name="pay"),
    path("checkout/check/<slug:public_id>/", checkout.check, name="payment_check"),
    path("checkout/paid/<slug:public_id>/", checkout.paid, name="paid"),
    path("orders/", orders.mine, name="my_orders"),
    path("orders/<slug:public_id>/", orders.one, name="my_order"),
    path("orders/<slug:public_id>/cancel/", cancelling.ask, name="my_order_cancel"),
    path("orders/<slug:public_id>/keep/", cancelling.keep, name="my_order_keep"),
    path("orders/<slug:public_id>/withdraw/", withdrawing.mine, name="my_order_withdraw"),
    path("orders/<slug:public_id>/messages/", messages.mine, name="my_order_messages"),
    path("orders/<slug:public_id>/messages/report/", messages.report_mine, name="my_order_report"),
    path("orders/<slug:public_id>/returns/", returning.mine, name="my_order_returns"),
    path("returns/<str:token>/", returning.by_link, name="returns_by_link"),
    path("withdraw/", withdrawing.start, name="withdraw"),
    path("withdraw/<str:token>/", withdrawing.by_link, name="withdraw_by_link"),
    path("searches/", searches.mine, name="my_searches"),
    path("searches/save/", searches.save, name="save_search"),
    path("searches/stop/<str:token>/", searches.stop, name="stop_searches"),
    path("searches/<slug:public_id>/", searches.change, name="my_search"),
    path("sell/", selling.start, name="start_selling"),
]
