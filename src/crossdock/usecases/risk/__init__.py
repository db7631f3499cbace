"""The risk analysis at work: traces, facts from the marketplace's own history, judgements that are kept, lists, rules,
holds.
"""
