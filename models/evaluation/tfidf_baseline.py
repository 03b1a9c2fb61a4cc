"""The baseline of classifiers: TF-IDF of n-grams and logistic regression."""

import numpy as np

_FEW_TEXTS = 500


def baseline_scores(
    train_texts: list[str],
    train_targets: np.ndarray,
    texts: list[str],
    multi_label: bool,
    balanced: bool,
) -> np.ndarray:
    """Trains the baseline on one split and scores the texts of another.

    Args:
        train_texts: raw texts.
        train_targets: <float32>[train rows, num_classes], 0 or 1.
        texts: raw texts to score.
        multi_label: whether to train one model per class instead of one for all.
        balanced: whether to weight classes by the inverse of their frequency.

    Returns:
        <float64>[rows, num_classes], probabilities.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline, make_union

    # Few texts hardly share any n-gram.
    min_df = 2 if len(train_texts) >= _FEW_TEXTS else 1
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=min_df, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=min_df, sublinear_tf=True),
    )
    model = LogisticRegression(
        max_iter=1000, C=4.0, class_weight="balanced" if balanced else None, random_state=0
    )
    if multi_label:
        fitted = make_pipeline(features, OneVsRestClassifier(model)).fit(train_texts, train_targets)
        # With a single class scikit-learn puts the column of its absence first.
        return fitted.predict_proba(texts)[:, -train_targets.shape[1] :]
    classes = train_targets.argmax(axis=1)
    fitted = make_pipeline(features, model).fit(train_texts, classes)
    scores = np.zeros((len(texts), train_targets.shape[1]))
    # A class without a training row has no column in the fitted model.
    scores[:, fitted.classes_] = fitted.predict_proba(texts)
    return scores
