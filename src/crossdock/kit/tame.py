"""The reader of outside JSON under its old name, for what is being written beside this change."""

from crossdock.kit.json_node import Doc, Node, flag, units_in, unread, whole
from crossdock.kit.json_node import node_of as tame

__all__ = ["Doc", "Node", "flag", "tame", "units_in", "unread", "whole"]
