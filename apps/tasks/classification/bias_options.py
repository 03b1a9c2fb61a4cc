"""The options of the bias report, without what it takes to make one."""


def add_bias_options(parser) -> None:
    """Adds the options of `evaluate` to its parser."""
    parser.add_argument(
        "--bias", action="store_true", help="also report figures by group and swapped terms"
    )
    parser.add_argument(
        "--identity-terms",
        metavar="FILE",
        help="columns kind, group, form, term (default: a list that ships with the suite)",
    )
    parser.add_argument(
        "--bias-class", metavar="CLASS", help="whose score is looked at (default: the first)"
    )
