"""Writing a parcel, under the module's old name, for what is being written beside this change."""

from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, There, left, not_begun, step, this_parcel

__all__ = ["Cancel", "Make", "Renumber", "There", "left", "not_begun", "step", "this_parcel"]
