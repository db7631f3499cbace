"""What the corner shop can do: nearly everything, since its API was written with this marketplace in mind."""

from datetime import date

from crossdock.domain.capability import Capability, Evidence, EvidenceKind, Field, Lag, Manifest, No, Pace, Way, Yes

NO = {
    Capability.LOCATIONS: No("A corner shop has one shelf."),
    Capability.RISK_WRITE: No("A corner shop's order has no place for a risk level; you read it here."),
    Capability.SIGN_IN_REDIRECT: No("A corner shop has no sign-in for other systems; you copy a key once."),
    Capability.CANCEL_THERE_CANCELS_HERE: No(
        "A cancel in a corner shop raises an alert here; reject the order here to credit the buyer."
    ),
}

MANIFEST = Manifest(
    name="toy",
    label="Corner Shop",
    api_version="1",
    answers={capability: NO.get(capability, Yes()) for capability in Capability},
    ways=(
        Way(
            name="key",
            label="With a key",
            fields=(
                Field("address", "Address of your shop", placeholder="https://corner.example"),
                Field("key", "Key", secret=True),
            ),
            steps=("In your shop, open Settings, then Keys.", "Copy the key and paste it here."),
        ),
    ),
    evidence=(Evidence(EvidenceKind.DOCUMENTATION, "1", date(2026, 11, 23), "Written together with its simulator."),),
    pace=Pace(per_second=50, burst=50, parallel=10),
    lag=Lag(late_execution=5.0),
)
