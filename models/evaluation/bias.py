"""Bias metrics: how a classifier's scores depend on the groups that texts name.

AUCs by group: Borkan et al. (2019), "Nuanced Metrics for Measuring Unintended Bias with Real Data
for Text Classification". Swapped terms: Garg et al. (2019), "Counterfactual Fairness in Text
Classification through Robustness".
"""

from typing import Any

import numpy as np

# Metrics of fewer rows are not computed: even with ten rows on each side an AUC of 0.8 is uncertain
# by 0.2.
FEWEST_ROWS = 10
# The power of the mean in the competition "Jigsaw Unintended Bias in Toxicity Classification".
POWER = -5.0
AUCS = {"subgroup_auc": "subgroup AUC", "bpsn_auc": "BPSN AUC", "bnsp_auc": "BNSP AUC"}
# The quantile of the standard normal distribution for 95 % intervals.
_QUANTILE = 1.959964


def group_aucs(
    positive: np.ndarray, scores: np.ndarray, members: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Computes the three AUCs of Borkan et al. for each group, and their generalised means.

    The subgroup is the texts that name the group, the background all other texts.

    Args:
        positive: <bool>[rows], whether the class applies.
        scores: <float>[rows], of that class.
        members: for each group <bool>[rows], whether a text names it.

    Returns:
        `rows`, `positive` (rows), `auc` and its `interval` of all rows, `groups` by name, and
        `generalised_means` over the groups by AUC. A group has `texts`, `positive`,
        `subgroup_auc` (its own positive and negative texts), `bpsn_auc` (background positive
        against subgroup negative ones: low if the name alone raises the score), `bnsp_auc`
        (background negative against subgroup positive ones: low if the name lowers it), and
        `intervals` by AUC. Groups that no text names are left out. An AUC with fewer than
        `FEWEST_ROWS` rows on a side is None.
    """
    auc, interval = auc_with_interval(scores[positive], scores[~positive])
    groups = {
        name: _measure_group(positive, scores, member)
        for name, member in members.items()
        if member.any()
    }
    return {
        "rows": len(scores),
        "positive": int(positive.sum()),
        "auc": auc,
        "interval": interval,
        "generalised_means": {
            name: generalised_mean([group[name] for group in groups.values()]) for name in AUCS
        },
        "groups": groups,
    }


def _measure_group(positive: np.ndarray, scores: np.ndarray, member: np.ndarray) -> dict[str, Any]:
    sides = {
        "subgroup_auc": (member & positive, member & ~positive),
        "bpsn_auc": (~member & positive, member & ~positive),
        "bnsp_auc": (member & positive, ~member & ~positive),
    }
    aucs = {name: auc_with_interval(scores[a], scores[b]) for name, (a, b) in sides.items()}
    return {
        "texts": int(member.sum()),
        "positive": int((member & positive).sum()),
        **{name: auc for name, (auc, _) in aucs.items()},
        "intervals": {name: interval for name, (_, interval) in aucs.items()},
    }


def auc_with_interval(
    positives: np.ndarray, negatives: np.ndarray
) -> tuple[float | None, list[float] | None]:
    """Computes the area under the ROC curve and its 95 % interval on the log-odds scale.

    The method is that of DeLong et al. (1988), "Comparing the Areas under Two or More Correlated
    ROC Curves".

    Args:
        positives: <float>[rows], scores that should be the higher ones.
        negatives: <float>[rows].

    Returns:
        The area, or None with fewer than `FEWEST_ROWS` rows on a side; the two ends, or None where
        the area is 0 or 1 and the method gives no interval.
    """
    if min(len(positives), len(negatives)) < FEWEST_ROWS:
        return None, None
    below, above = _shares_below(positives, negatives), 1 - _shares_below(negatives, positives)
    auc = below.mean()
    variance = below.var(ddof=1) / len(below) + above.var(ddof=1) / len(above)
    if not 0 < auc < 1:
        return float(auc), None
    room = _QUANTILE * np.sqrt(variance) / (auc * (1 - auc))
    odds = np.log(auc / (1 - auc)) + np.array([-room, room])
    return float(auc), (1 / (1 + np.exp(-odds))).tolist()


def _shares_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns for each value the share of `others` that are lower; equal ones count half."""
    others = np.sort(others)
    ranks = np.searchsorted(others, values, "left") + np.searchsorted(others, values, "right")
    return ranks / (2 * len(others))


def generalised_mean(values: list[float | None], power: float = POWER) -> float | None:
    """Computes the power mean of all values but None; a power below 0 favours the lowest."""
    known = np.array([value for value in values if value is not None])
    if not len(known):
        return None
    if power < 0 and not known.all():
        return 0.0
    return float(np.mean(known**power) ** (1 / power))


class Counterfactuals:
    """Accumulates how scores change when the terms of groups are swapped, without keeping texts.

    Args:
        groups: names of the groups.
    """

    def __init__(self, groups: list[str]) -> None:
        self.groups = groups
        self._sums = np.zeros((5, len(groups)))

    def add(
        self, groups: np.ndarray, shares: np.ndarray, rises: np.ndarray, flipped: np.ndarray
    ) -> None:
        """Adds a batch of swaps.

        Args:
            groups: <int>[swaps], positions of the groups whose terms were replaced.
            shares: <float>[swaps], one divided by the number of swaps of the same text and group.
            rises: <float>[swaps], the score with the group's term minus the score without it.
            flipped: <bool>[swaps], whether the predicted classes differ.
        """
        columns = (
            np.ones(len(groups)),
            shares,
            shares * flipped,
            shares * np.abs(rises),
            shares * rises,
        )
        for sums, column in zip(self._sums, columns, strict=True):
            sums += np.bincount(groups, column, len(self.groups))

    def metrics(self) -> dict[str, dict[str, Any]]:
        """Computes the metrics of each group.

        Returns:
            By group: `swapped_texts`, `swaps`, and means over the texts of the means over their
            swaps: `flip_rate`, `score_gap` (the counterfactual token fairness gap of Garg et al.)
            and `score_rise` (the same with its sign: above 0 if the group's terms score higher than
            their replacements). A mean of fewer than `FEWEST_ROWS` texts is None.
        """
        return {group: self._measure(i) for i, group in enumerate(self.groups)}

    def _measure(self, position: int) -> dict[str, Any]:
        swaps, shares, *sums = self._sums[:, position]
        texts = round(shares)
        means = [float(total / texts) if texts >= FEWEST_ROWS else None for total in sums]
        names = ("flip_rate", "score_gap", "score_rise")
        return {
            "swapped_texts": texts,
            "swaps": int(swaps),
            **dict(zip(names, means, strict=True)),
        }


def bias_table(report: dict[str, Any]) -> str:
    """Formats bias metrics for the terminal.

    Args:
        report: from `group_aucs`, each group with its metrics from `Counterfactuals`, too.
    """
    groups = report["groups"]
    width = max(20, *map(len, groups)) if groups else 20
    lines = [
        f"{'group':{width}}  texts  of class  "
        + "  ".join(f"{title:21}" for title in AUCS.values()).rstrip()
    ]
    for name, group in groups.items():
        aucs = "  ".join(_format_auc(group[auc], group["intervals"][auc]) for auc in AUCS)
        lines.append(
            f"{name:{width}}  {group['texts']:5d}  {group['positive']:8d}  {aucs}".rstrip()
        )
    means = "  ".join(_format_auc(report["generalised_means"][auc], None) for auc in AUCS)
    lines += [
        f"{f'mean, power {POWER:g}':{width}}  {'':5}  {'':8}  {means}".rstrip(),
        f"{'all texts':{width}}  {report['rows']:5d}  {report['positive']:8d}  "
        f"{_format_auc(report['auc'], report['interval'])}".rstrip(),
        "",
        f"{'term swapped, of':{width}}  texts     swaps  label changes  score gap  score rise",
    ]
    for name, group in groups.items():
        lines.append(
            f"{name:{width}}  {group['swapped_texts']:5d}  {group['swaps']:8d}  "
            f"{_format(group['flip_rate'], '.1%'):>13}  {_format(group['score_gap'], '.3f'):>9}  "
            f"{_format(group['score_rise'], '+.3f'):>10}"
        )
    return "\n".join(lines)


def _format_auc(value: float | None, interval: list[float] | None) -> str:
    ends = f" ({interval[0]:.3f} - {interval[1]:.3f})" if interval else ""
    return f"{_format(value, '.3f')}{ends}".ljust(21)


def _format(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
