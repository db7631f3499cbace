"""Staff's addresses, all below /staff/ and named staff_…; an entry of the navigation is a line in panel.py. tests/test_walls.py walks this table."""

from django.urls import path

from crossdock.web.staff import acting, alerts, audit, commands, finding, home, inbox, orders, policy, risk, shops

urlpatterns = [
    path("", home.home, name="staff_home"),
    path("find/", finding.find, name="staff_find"),
    path("sellers/", finding.sellers, name="staff_sellers"),
    path("sellers/<slug:public_id>/", finding.seller, name="staff_seller"),
    path("sellers/<slug:public_id>/act/", acting.begin, name="staff_act"),
    path("act/end/", acting.end, name="staff_act_end"),
    path("orders/<slug:public_id>/", orders.one, name="staff_order"),
    path("alerts/", alerts.table, name="staff_alerts"),
    path("alerts/<slug:public_id>/settle/", alerts.settle, name="staff_alert_settle"),
    path("commands/", commands.table, name="staff_commands"),
    path("commands/resend/", commands.resend_many, name="staff_resend_many"),
    path("commands/<int:pk>/resend/", commands.resend, name="staff_resend"),
    path("inbox/", inbox.table, name="staff_inbox"),
    path("shops/", shops.table, name="staff_shops"),
    path("shops/<slug:public_id>/", shops.one, name="staff_shop"),
    path("shops/<slug:public_id>/pause/", shops.pause, name="staff_shop_pause"),
    path("shops/<slug:public_id>/resume/", shops.resume, name="staff_shop_resume"),
    path("policy/", policy.table, name="staff_policy"),
    path("policy/<slug:rule>/", policy.one, name="staff_rule"),
    path("risk/", risk.home, name="staff_risk"),
    path("risk/rules/", risk.rules, name="staff_risk_rules"),
    path("risk/rules/<int:pk>/", risk.rule_set, name="staff_risk_set"),
    path("risk/lists/", risk.lists, name="staff_risk_lists"),
    path("risk/lists/<int:pk>/off/", risk.unlist, name="staff_risk_unlist"),
    path("orders/<slug:public_id>/risk/", risk.order, name="staff_risk_order"),
    path("orders/<slug:public_id>/risk/clear/", risk.clear, name="staff_risk_clear"),
    path("orders/<slug:public_id>/risk/label/", risk.label, name="staff_risk_label"),
    path("audit/", audit.table, name="staff_audit"),
]
