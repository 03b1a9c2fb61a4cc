"""What a translator's answers are worth: BLEU and chrF, by the length of the source, too."""

import itertools

from sacrebleu.metrics import BLEU, CHRF

# Words of a source, at most, in each group but the last.
_LENGTHS = (6, 9, 12, 15, 19, 24)


def figures(translations: list[str], references: list[str]) -> dict[str, float]:
    """`bleu` (Papineni et al. 2002) and `chrf` (Popovic 2015), from 0 to 100, of cased texts as
    they are, by sacreBLEU (Post 2018)."""
    return {
        "bleu": BLEU().corpus_score(translations, [references]).score,
        "chrf": CHRF().corpus_score(translations, [references]).score,
    }


def report(translations: list[str], references: list[str], sources: list[str]) -> dict:
    """All figures of a split.

    Args:
        translations: the answers.
        references: the true ones.
        sources: what was translated.

    Returns:
        What `figures` does, the `signatures` of both, the ratio of the `lengths`, and `by_length`,
        the BLEU of sources of like length: `from` and `to` words, `sentences` and `bleu`.
    """
    bleu, chrf = BLEU(), CHRF()
    score = bleu.corpus_score(translations, [references])
    return {
        "bleu": score.score,
        "chrf": chrf.corpus_score(translations, [references]).score,
        "signatures": {
            "bleu": f"BLEU|{bleu.get_signature()}",
            "chrf": f"chrF2|{chrf.get_signature()}",
        },
        "length_ratio": score.sys_len / max(score.ref_len, 1),
        "sentences": len(translations),
        "by_length": by_length(translations, references, sources),
    }


def by_length(translations: list[str], references: list[str], sources: list[str]) -> list[dict]:
    """The BLEU of sources of like length, see `report`; arguments as there."""
    words = [len(source.split()) for source in sources]
    bounds = [0, *_LENGTHS, max([*words, _LENGTHS[-1] + 1])]
    rows = []
    for low, high in itertools.pairwise(bounds):
        chosen = [i for i, count in enumerate(words) if low < count <= high]
        if chosen:
            some = [[texts[i] for i in chosen] for texts in (translations, references)]
            bleu = BLEU().corpus_score(some[0], [some[1]]).score
            rows.append({"from": low + 1, "to": high, "sentences": len(chosen), "bleu": bleu})
    return rows


def table(report: dict) -> str:
    """The figures for the terminal."""
    lines = [
        f"BLEU  {report['bleu']:.2f}  {report['signatures']['bleu']}",
        f"chrF  {report['chrf']:.2f}  {report['signatures']['chrf']}",
        f"{report['sentences']:,} sentences, translations have {report['length_ratio']:.3f} of the "
        "references' words",
        "words of the source   sentences    BLEU",
    ]
    for row in report["by_length"]:
        words = f"{row['from']} - {row['to']}"
        lines.append(f"{words:>19}   {row['sentences']:9,}   {row['bleu']:5.2f}")
    return "\n".join(lines)


def main_metrics(report: dict) -> dict[str, float]:
    """The figures to compare runs by, by title."""
    return {"BLEU": report["bleu"], "chrF": report["chrf"]}
