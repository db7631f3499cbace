"""Words that the domain says by a table, listed for the catalogues: pages translate them where they show them."""

from django.utils.translation import gettext_noop as _

OF_AMOUNTS = (_("Type a number, such as 12.50."),)
OF_OFFERS = (
    _("This item follows the seller's own shop, so it is sold at the asking price; no offers can be made on it."),
    _("The seller takes no offers on this item."),
)
OF_PAGES = (_("Terms"), _("Privacy"), _("Contact and imprint"))
OF_LISTS = (_("All"), _("Not shipped yet"), _("Shipped"), _("Cancelled"))
OF_RETURNS = (
    _("Arrived damaged or does not work"),
    _("Not what was ordered"),
    _("Not as described"),
    _("Does not fit or is not wanted any more"),
    _("Another reason"),
    _("Withdrawn from the contract"),
)
OF_PARCELS = (
    _("The label was made."),
    _("The carrier has the parcel."),
    _("The parcel is on its way."),
    _("The parcel is out for delivery."),
    _("The parcel is ready for pickup."),
    _("The parcel was delivered."),
    _("The parcel goes back to the sender."),
    _("The parcel is back with the sender."),
    _("The carrier reports trouble with the parcel."),
)
OF_REPORTS = (
    _("It is a fake, or uses a brand without permission"),
    _("It uses pictures, words or personal data of mine"),
    _("It is dangerous or was recalled"),
    _("It must not be sold, or not like this"),
    _("It was stolen"),
    _("It is not what it says, or looks like a fraud"),
    _("It spreads hate or calls for violence"),
    _("It shows sexual abuse of children"),
    _("Something else that is against the law or the terms"),
)
OF_RATINGS = (
    _("Very good"),
    _("Good"),
    _("Neither good nor bad"),
    _("Bad"),
    _("Very bad"),
    _("Nothing of this order was shipped, so there is nothing to rate yet."),
    _("Our staff took this rating down, so it cannot be changed. Write to us if you think that is wrong."),
    _("You sold this yourself."),
)
OF_SELLERS = (
    _("The marketplace has stopped the sales of this seller for now."),
    _("This seller does not sell here yet: the marketplace has not approved them."),
)
OF_CANCELS = (
    _("out of stock"),
    _("damaged"),
    _("lost"),
    _("the price was wrong"),
    _("you asked for it"),
    _("the order could not be verified"),
    _("another reason"),
)
OF_CREDITS = (
    _("Arrived damaged"),
    _("Not as described"),
    _("Never arrived"),
    _("Sent back"),
    _("Price error"),
    _("Goodwill"),
    _("Other"),
)
