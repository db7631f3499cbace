"""Countries that a parcel goes to, and states where an address needs one.

COUNTRIES is ISO 3166-1 as assigned, with Kosovo, without Antarctica and without the eight islands below. A locale
library's list holds more: the Canaries (IC), Ceuta (EA), "outlying Oceania" (QO), Sark (CQ), Clipperton (CP), Diego
Garcia (DG), which no shop and no carrier takes for a country.
"""


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The US Post Office delivers there at domestic prices under these states (USPS Publication 28, appendix B). Shop
# platforms differ: some know them as states of the US only, some as countries only. Here each is the US with its state,
# and a connector writes what its platform takes.
US_TERRITORIES = _codes("AS FM GU MH MP PR PW VI")

COUNTRIES = _codes(
    "AD AE AF AG AI AL AM AO AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW"
    " BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES"
    " ET FI FJ FK FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GW GY HK HM HN HR HT HU ID IE IL"
    " IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY"
    " MA MC MD ME MF MG MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ"
    " OM PA PE PF PG PH PK PL PM PN PS PT PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO"
    " SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG"
    " VN VU WF WS XK YE YT ZA ZM ZW"
)

# Where a parcel without one is turned back, and where shops take the code only.
REGIONS = {
    "US": US_TERRITORIES
    | _codes(
        "AA AE AK AL AP AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE"
        " NH NJ NM NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY"
    ),
    "CA": _codes("AB BC MB NB NL NS NT NU ON PE QC SK YT"),
    "AU": _codes("ACT NSW NT QLD SA TAS VIC WA"),
}
_EXAMPLES = {"US": "OR", "CA": "ON", "AU": "NSW"}


def postal_country(country: str) -> str:
    """US for its territories, else the country itself."""
    return "US" if country in US_TERRITORIES else country


def why_not_region(country: str, region: str) -> str:
    """Empty when the state is one of the country's, or the country needs none."""
    if country not in REGIONS or region in REGIONS[country]:
        return ""
    return f"Type the short code of the state or province, such as {_EXAMPLES[country]}."
