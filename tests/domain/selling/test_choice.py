"""What a choice of what to sell says of one product."""

from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.selling.choice import EVERYTHING, LONGEST_SENTENCE, Choice, Chooser, words_in, wrong_choice
from crossdock.domain.values import Money

WORD = st.sampled_from(["Cards", "cards", "Pokémon", "pokemon", "Posters", "x" * 200])
WORDS = st.lists(WORD, max_size=5)
SAID = st.fixed_dictionaries({"types": WORDS, "tags": WORDS})
CHOICES = st.builds(
    Choice,
    types=WORDS.map(tuple),
    not_types=WORDS.map(tuple),
    tags=WORDS.map(tuple),
    not_tags=WORDS.map(tuple),
    low=st.none() | st.integers(0, 5000),
    high=st.none() | st.integers(1, 5000),
    currency=st.just("USD"),
)


def why(choice: Choice, *, types: tuple[str, ...] = (), tags: tuple[str, ...] = (), price: Money | None = None) -> str:
    return Chooser.of(choice).why_not({"types": types, "tags": tags}, price)


def test_each_rule_takes_and_leaves_out_in_words() -> None:
    assert why(Choice(types=("cards",)), types=("CARDS",)) == ""
    assert "“Posters”, and you sell “cards”" in why(Choice(types=("cards",)), types=("Posters",))
    assert "has no type or category" in why(Choice(types=("cards",)))
    assert "“Pokémon”" in why(Choice(not_types=("pokemon",)), types=("Pokémon", "Cards"))
    assert "no tag “web” or “new”" in why(Choice(tags=("web", "new")), tags=("old",))
    assert "has the tag “old”" in why(Choice(not_tags=("old",)), tags=("old",))
    cheap = Choice(low=500, high=900, currency="USD")
    assert [why(cheap, price=Money(minor, "USD")) for minor in (500, 900)] == ["", ""]
    assert "$4.99 in your shop, less than $5.00" in why(cheap, price=Money(499, "USD"))
    assert "more than $9.00" in why(cheap, price=Money(901, "USD"))
    assert "in EUR" in why(cheap, price=Money(600, "EUR"))


@given(choice=CHOICES, said=SAID, minor=st.integers(1, 6000))
def test_what_is_said_more_leaves_out_more_and_everything_leaves_out_nothing(
    choice: Choice, said: dict[str, list[str]], minor: int
) -> None:
    price = Money(minor, "USD")
    sentence = Chooser.of(choice).why_not(said, price)
    assert len(sentence) <= LONGEST_SENTENCE
    assert EVERYTHING.why_not(said, price) == ""
    parts = [
        Choice(types=choice.types),
        Choice(not_types=choice.not_types),
        Choice(tags=choice.tags),
        Choice(not_tags=choice.not_tags),
        Choice(low=choice.low, high=choice.high, currency="USD"),
    ]
    assert (sentence == "") == all(Chooser.of(part).why_not(said, price) == "" for part in parts)
    assert choice.everything == (choice.sentences == [])


def test_words_are_typed_one_a_line_and_what_contradicts_itself_is_refused() -> None:
    assert words_in(" Cards \n\ncards\r\nSealed  boxes\n") == ("cards", "Sealed boxes")
    assert "both chosen and left out" in wrong_choice(Choice(types=("Cards",), not_types=("cards",)))
    assert "above the highest" in wrong_choice(Choice(low=2, high=1, currency="USD"))
    assert "above zero" in wrong_choice(Choice(high=0, currency="USD"))
    assert "At most" in wrong_choice(Choice(tags=tuple(map(str, range(101)))))
    assert wrong_choice(Choice(types=("a",), tags=("a",))) == ""
