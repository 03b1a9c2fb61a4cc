"""The settings of the site generator, and the order of the pages."""

from builder.places import ROOT

# The order of the pages. Every page of docs/ stands in it.
PAGES = [
    {
        "Start": [
            "index.md",
            {"Get started": "start.md"},
            "install.md",
            "choosing.md",
            "sample_data.md",
            "hardware.md",
            "troubleshooting.md",
            "glossary.md",
        ]
    },
    {
        "Applications": [
            "applications/hate_speech.md",
            "applications/sentiment.md",
            "applications/spam.md",
            "applications/ner.md",
            "applications/text_generation.md",
            "applications/translation.md",
            "applications/summarization.md",
            "applications/captioning.md",
            "applications/chat.md",
        ]
    },
    {
        "Guides": [
            "guides/pretrained.md",
            "guides/your_data.md",
            "guides/captioning_data.md",
            "guides/inspect.md",
            "guides/commands.md",
            "guides/options.md",
            "guides/training.md",
            "guides/interruptions.md",
            "guides/seeds.md",
            "guides/search.md",
            "guides/scale.md",
            "guides/transfer.md",
            "guides/distillation.md",
            "guides/thresholds.md",
            "guides/bias.md",
            "guides/explanations.md",
            "guides/report.md",
            "guides/runs.md",
            "guides/tracking.md",
            "guides/transcripts.md",
            "guides/moderation.md",
            "guides/recordings.md",
            "guides/python.md",
            "guides/export.md",
            "guides/onnx.md",
            "guides/server.md",
            "guides/demo.md",
        ]
    },
    {
        "Concepts": [
            "concepts/architecture.md",
            "concepts/run_folder.md",
            "concepts/recurrent_layers.md",
            "concepts/native_operator.md",
            "concepts/attention.md",
            "concepts/crf.md",
            "concepts/optimizer.md",
        ]
    },
    {
        "Results": [
            "results/index.md",
            "results/hate_speech.md",
            "results/sentiment.md",
            "results/spam.md",
            "results/ner.md",
            "results/text_generation.md",
            "results/translation.md",
            "results/summarization.md",
            "results/chat.md",
            "results/captioning.md",
            "results/speed.md",
            "results/growth.md",
            "results/robustness.md",
        ]
    },
    {
        "Extending": [
            "extending/index.md",
            "extending/cell.md",
            "extending/attention.md",
            "extending/corpus.md",
            "extending/format.md",
            "extending/application.md",
            "extending/task.md",
            "extending/verb.md",
        ]
    },
]
ABOUT = ["changelog.md", "contributing.md", "citation.md", {"Sample files": "samples.md"}]


def settings(notebooks: list[str], commands: list[str], api: list) -> dict:
    """Returns the settings; Zensical reads those of MkDocs with Material, which builds them too.

    Args:
        notebooks: places of the notebooks' pages.
        commands: places of the commands' pages.
        api: the navigation of the API.
    """
    return {
        "site_name": "Recurrent text suite",
        "docs_dir": "pages",
        "site_dir": "site",
        "use_directory_urls": False,
        "nav": [
            *PAGES,
            {"Course": ["course/index.md", *notebooks]},
            {"Reference": ["reference/index.md", {"Commands": commands}, {"API": api}]},
            {"About": ABOUT},
        ],
        "theme": {
            "name": "material",
            # Fonts would come from outside.
            "font": False,
            "features": [
                "navigation.tabs",
                "navigation.top",
                "navigation.indexes",
                "navigation.prune",
                "navigation.footer",
                "toc.follow",
                "content.code.copy",
                "search.highlight",
            ],
            "palette": [
                {
                    "media": "(prefers-color-scheme: light)",
                    "scheme": "default",
                    "primary": "indigo",
                    "toggle": {"icon": "material/brightness-7", "name": "Dark mode"},
                },
                {
                    "media": "(prefers-color-scheme: dark)",
                    "scheme": "slate",
                    "primary": "indigo",
                    "toggle": {"icon": "material/brightness-4", "name": "Light mode"},
                },
            ],
        },
        "extra_css": ["site.css"],
        "extra": {"generator": False},
        "plugins": [
            "search",
            {
                "mkdocstrings": {
                    "handlers": {
                        "python": {
                            "paths": [str(ROOT)],
                            "options": {
                                "docstring_style": "google",
                                "extensions": [str(ROOT / "docs" / "builder" / "docstrings.py")],
                                # Arguments that are described together are no mistake here.
                                "docstring_options": {
                                    "warnings": False,
                                    "returns_multiple_items": False,
                                },
                                "heading_level": 2,
                                "show_root_toc_entry": False,
                                "show_source": False,
                                "show_signature_annotations": True,
                                "separate_signature": True,
                                "line_length": 80,
                                "members_order": "source",
                                "filters": ["!^_"],
                            },
                        }
                    }
                }
            },
        ],
        "markdown_extensions": [
            "admonition",
            "attr_list",
            "md_in_html",
            "tables",
            {"toc": {"permalink": True}},
            {"pymdownx.highlight": {"anchor_linenums": True}},
            "pymdownx.inlinehilite",
            "pymdownx.superfences",
            "pymdownx.details",
            {"pymdownx.arithmatex": {"generic": True}},
        ],
    }
