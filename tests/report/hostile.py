"""Text that tries to break a page, and what a Markdown parser makes of it."""

HOSTILE = [
    "<script>alert(1)</script>",
    "</td></tr></table><img src=x onerror=alert(1)>",
    "a | b | c",
    "a\\| b",
    "\\",
    "\\\\|",
    "line\none\r\n\n# two",
    "`code` ``two`` ```three",
    "```\nfence",
    "[link](javascript:alert(1))",
    "![image](http://example.org/x.png)",
    "<http://example.org>",
    "http://example.org www.example.org me@example.org",
    "**bold** _it_ __it__ ~~gone~~ *x*",
    "- item",
    "1. item",
    "1) item",
    "# head",
    "---",
    "===",
    "> quote",
    "    code",
    "&lt;b&gt; &amp; &#60;",
    "{{ 7 * 7 }} {% raw %}",
    "$x^2$ $$y$$",
    "[^1] [x]: y",
    "\u202eevil\u202c \u0000 \u001b[31m",
    "最大健康并发连接数为87–92个 (100–1,000 µs)",
    "<!-- comment",
    "[ref]",
    "a\\`b",
    "+ plus",
    "|",
    "|---|",
    "",
]


def inline(tokens):
    return [child for token in tokens if token.type == "inline" for child in token.children]
