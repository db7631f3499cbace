"""An order from its shop's copy to its end: landing, snapshots, parcels, rejects, cancels."""
