"""XML out of plain values, for platforms that take nothing else."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

Entity = Mapping[str, Any]
# What XML 1.0 has no way to write.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def document(root: str, name: str, entities: Sequence[Entity]) -> bytes:
    """Each entity as one element of that name. A mapping becomes elements within, a list the same element again, None
    an empty one.
    """
    top = ElementTree.Element(root)
    for entity in entities:
        _fill(ElementTree.SubElement(top, name), entity)
    written: bytes = ElementTree.tostring(top, encoding="utf-8", xml_declaration=True)
    return written


def _fill(element: ElementTree.Element, entity: Entity) -> None:
    for name, value in entity.items():
        for each in value if isinstance(value, list) else [value]:
            inner = ElementTree.SubElement(element, name)
            if isinstance(each, Mapping):
                _fill(inner, each)
            elif each is not None:
                inner.text = _CONTROL.sub("", str(each))
