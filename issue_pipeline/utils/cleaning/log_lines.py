"""Tells lines that a machine wrote (logs, stack traces, code) from lines that a person wrote."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from issue_pipeline.utils.cleaning.lines import plain_line

_LOG = re.compile(
    r"\s*(?:"
    r"[\[(]?\d{4}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d"  # 2026-03-10 12:00
    r"|[\[(]?\d\d[-/.]\d\d[-/.]\d{2,4},? \d\d:\d\d:\d\d"  # 10/03/2026 12:00:00
    r"|[\[(]?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?[\])]?\s"  # 12:00:00.123
    r"|\[?(?:[A-Z][a-z]{2} )?[A-Za-z]{3} [ \d]\d \d\d:\d\d:\d\d\s"  # Mar 10 12:00:00
    r"|\[\s*\d{1,3}%\]\s|\[\d{1,6}/\d{1,6}\]\s"  # [ 50%], progress of a build
    r"|\d{1,6}/\d{1,6} \[[=>.━-]|.{0,80}?\d%\s?\|"
    r"|\[\s*\d+\.\d+\]\s"  # kernel
    r"|\[?(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL|SEVERE|NOTICE)"
    r"(?:\]|:|\s*\||\s{2,}|\s+\[|\s+\d|\s+\w+(?:[.:]\w+)+)"
    r"|\[(?i:trace|debug|info|warn(?:ing)?|error|fatal|notice|err|main)\]"
    r"|[EWIFDV](?:\d{4}|/\S{1,60})[ (]"  # glog, Android
    r"|at (?:async |new )?(?=[\w\]`,~@-]*+[.$<>/\[])[\w$.<>/\[\]`,~@-]++\s?\("  # Java, .NET
    r"|at (?:async |new )?[\w$.<>]+ (?:\[as [\w.]+\] )?\((?=[^()\s:.]*+[:.])\S*\)"  # JavaScript
    r"|at (?:file|https?|node|async|chrome-extension|webpack\S*|/|[A-Za-z]:\\)[:\s/\w]"
    r"|(?:in|from) \S+ \((?=\S*?(?:at|:\d))\S*\)"
    r"|File \"[^\"\n]{1,300}+\", line \d|File [\w./\\~-]{1,300}+:\d|Cell In ?\[\d{1,5}\], line"
    r"|(?:[\w.]{1,80}\s+)?Traceback \(most recent call last\)"
    r"|During handling of the above exception"
    r"|The above exception was the direct cause"
    r"|(?:[a-zA-Z_$][\w$]*+\.)*+[A-Z]\w*(?:Error|Exception|Fault)\b(?::|$)"
    r"|(?:[A-Z]\w{0,60})?(?:Error|Exception|Warning): |[a-z]{3,40}(?:error|exception): "
    # ld: error: ...
    r"|[\w.+-]{1,40}: (?:[\w.-]{1,40}: )?(?:fatal |internal )?(?:error|warning|note): "
    r"|[\w.+-]{1,40}: [\w./+-]{1,200}+:\d{1,6}:"
    r"|[\w.]{1,60}![\w:<>~]{1,200}+\(|In file included from |make(?:\[\d\])?: "
    r"|.{3,150}?\.\.\. ?(?:yes|no|done|ok|OK|found|not found|none|failed|skipped|passed)\s*$"
    r"|(?:Downloading|Collecting|Using cached|Installing|Building|Compiling|Linking"
    r"|Requirement already|Successfully (?:installed|built)|Attempting uninstall|Found existing)"
    r" (?:[A-Z]\S* )?[\w-]*[._/=\d]\S"
    r"|\d{1,4} frames\s*$"
    r"|Caused by: |\.\.\. \d{1,4} more|Suppressed: "
    r"|#\d{1,3}\s+(?:0x[0-9a-f]+|/|\S{1,200}\(\d)"  # gdb, PHP
    r"|-{2,}>\s*\d+\s"  # IPython's arrow
    r"|\d{1,4}(?:\s{2,}|:\s|\|)\s*\S*[=(){}\[\];:.#_\"']"  # numbered source lines
    r"|[~/.\w<][\w./<>~-]*\.\w{1,4}(?::\d+)?(?:\(\d+\))?:? in [\w<>.]+"  # path.py in f(x)
    r"|[\w./\\-]+\.\w{1,4}:\d+(?::\d+)?:?(?:\s|$)"  # path.c:12:3:
    r"|(?:npm|yarn|pip|error|warning|fatal)(?: (?:ERR|WARN)!?|\[\w{1,8}\]:|: )"
    r"|0x[0-9a-f]{4,16}\b"
    r"|(?=[0-9a-f]{0,15}\d)(?=[0-9a-f]{0,15}[a-f])[0-9a-f]{8,16}[\s:]"
    r"|goroutine \d{1,9} \["
    r"|(?:\([\w.-]+\)\s*)?(?:[\w.-]+@[\w.-]+[: ]\S*\s?)?[$#>%❯λ]\s+[a-z./~]"  # a shell prompt
    r"|PS [A-Z]:\\|[A-Z]:\\\S*>"
    r"|>>> |In ?\[\d*\]:|Out ?\[\d*\]:"
    r"|--\s{2,}\S|-- [\w+./ -]{1,60}+: "  # CMake
    r"|-- (?:The |Found|Check|Looking|Performing|Configuring|Generating|Build)"
    r"|\+{1,3} |@@ -\d|diff --git|index [0-9a-f]{7,}\.\.|new file mode"  # patches
    r")"
)
_SOURCE_FOLLOWS = re.compile(r"\s*File \"[^\"\n]{1,300}+\", line \d")
_CODE = re.compile(
    r"\s*(?:"
    r"(?:async )?(?:def|class|func|fn|function|interface|struct|enum|trait|impl)"
    r"\s+[\w.<>]+\s*[(:{<]"
    r"|import\s+[\w.*{]+(?:\s+(?:as|from)\s+\S+)?(?:,.*)?;?\s*$|from\s+[\w.]+\s+import\b"
    r"|#\s?(?:include|define|ifdef|ifndef|endif|pragma)\b|using\s+[\w.]+;|package\s+[\w.]+;"
    r"|(?:const|let|var|val|auto|final|static)\s+[\w{\[,: <>*&]+\s*="
    r"|(?:public|private|protected|static|export|extern|override)\s+[\w<>\[\], ]+[({;=]"
    r"|(?:else\s)?(?:if|for|while|switch|catch|foreach)\s*\([^\n]*\)\s*\{?\s*$"
    r"|(?:\}\s*)?(?:try|else|do|finally)\s*[{:]\s*$"
    r"|@\w+(?:\.\w+)*(?:\([^\n]*\))?\s*$"
    r"|return\b[^\n]*[;()\[\]{}_=]\s*$|raise \w+\(|throw new "
    r"|(?:self|this|cls)\.\w+"
    r"|[\w.\[\]\"'*&>-]+(?:\s*,\s*[\w.]+)*\s*(?:[-+*/|&]|:|<<)?=(?!=)\s*\S"  # x = ...
    r"|[\w.:>-]+\([^\n]*\)?\s*[;,:{]?\s*$(?<=[\](){};,:])(?<!\w\(s\))"  # call(...)
    r"|(?:void|int|bool|float|char|unsigned|size_t|std::\w+)\s+[*&]?\w+\s*[(=;\[{]"
    r"|[\w<>\[\].]+ \w+\s?=\s.*;\s*$|[\w. ()/-]{1,40}?\s{2,}[=:]\s"  # Type x = ...; and aligned
    r"|(?:SELECT|FROM|WHERE|AND|OR|(?:INNER |LEFT |RIGHT )?JOIN|GROUP BY|ORDER BY|VALUES|HAVING)\s"
    r"[^a-z\s]{0,60}+[\w*]{0,60}+[.(_=,]"
    r"|(?:Dim|Set) \w+\s?=\s?(?:New )?[^\s(]+(?:\([^\n]*)?\s*$"
    r"|[\"'][^\"'\n]*[\"']\s*:\s*\S|[\"'][^\"'\n]*[\"'],?\s*$(?<=,)"  # "key": value
    r"|</?[\w:.-]+(?:\s[\w:.@-]+=[^\n]*|\s*/?)>?\s*$"  # markup on its own
    r"|<[\w:.-]++[^<>\n]*+>[^<>\n]*+</[\w:.-]+>\s*$"
    r"|!?(?![^\n]*\s(?:a|an|the|is|are|was|does|not|when|with|if|because|fails?|my)\b)"
    r"(?:sudo|pip3?|npm|npx|yarn|conda|docker|kubectl|git|cd|mkdir|curl|wget|apt-get|brew|cmake"
    r"|make"
    r"|bazel|python3?|node|cargo|go)\s+(?:-|install\b|run\b|clone\b|build\b|add\b|commit\b|push\b"
    r"|pull\b|checkout\b|get\b|\.|/)\S*(?:\s+\S*[-./=\w]){0,8}\s*$"
    r"|[a-z][\w.-]{0,20}(?: [\w./=~-]{1,40}){0,8} && [a-z]"
    r"|SELECT\b.*\bFROM\b|(?:INSERT INTO|UPDATE \w+ SET|CREATE TABLE|DELETE FROM|ALTER TABLE)\b"
    r"|//|/\*|\*/"
    r")"
)
# "Error: ...", "[WARN] ...", "Installing ...", where a log and a person begin alike
_MAY_BE_SAID = re.compile(r"\s*\[?[A-Za-z](?!\S*[./\\]\S)(?![^\n]{0,80}\d\d:\d\d)")
_EXCEPTION = re.compile(r"\s*[\w.]*[a-z](?:Error|Exception|Fault|Warning)\b")
# A word that no sentence has: brackets or signs within, paths, numbers, options.
_ODD_WORD = re.compile(
    r"\d|[={}\\|$^~<>]|\w[(\[_/@#]\w|\w\(\)|[\])][^\w\s]{0,20}\w|::|->|;\S|\w\.\w|--?\w+=?|^[^\w&–—/-]+$|^@|_"
)
_FIRST_PERSON = re.compile(
    r"\bI\b(?!/)|\b[Ii]['’](?:m|ve|d|ll)\b|\b[Mm](?:y|e)\b"
    r"|\bi (?:have|am|can|get|tried?|want|need)\b"
)
_MIN_REPEATED = 4
_SENTENCE_END = re.compile(r"[.?!:…)\"'][\"')]{0,3}$")


def without_machine_lines(lines: Sequence[str]) -> list[str]:
    """Drop log lines, stack traces and code that stands without a fence.

    In a paragraph of which most lines are a machine's, only whole sentences stay. In any other, a
    line that opens like a log's ("Error: ...") stays if it is a sentence or somebody's own words.

    Args:
        lines: The text's lines with their indentation, empty ones between paragraphs.
    """
    kept: list[str] = []
    for paragraph in paragraphs(lines):
        machine = _machine_lines(paragraph)
        mostly = len(paragraph) >= 3 and 2 * sum(machine) > len(paragraph)
        for line, by_machine in zip(paragraph, machine, strict=True):
            if mostly:
                stays = not by_machine and is_sentence(line)
            else:
                stays = not by_machine or _is_by_person(line)
            if stays:
                kept.append(line)
        kept.append("")
    return kept


@lru_cache(maxsize=512)  # a second pass asks about the same lines
def is_machine_line(line: str) -> bool:
    """Return whether a line reads like a log, a trace or code rather than like prose."""
    return bool(_LOG.match(line) or _CODE.match(line)) or _mostly_odd(line)


def speaks(text: str) -> bool:
    """Return whether somebody says I, me or my."""
    return bool(_FIRST_PERSON.search(text))


def is_sentence(line: str) -> bool:
    """Return whether a line is five words and a full stop, or ten words, nearly all plain."""
    words = plain_line(line).split()
    if _SENTENCE_END.search(line.rstrip()):
        return len(words) >= 5 and 2 * _odd_words(words) <= len(words)
    return len(words) >= 10 and 5 * _odd_words(words) <= len(words)


def paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    """Runs of lines with no empty line between them."""
    paragraph: list[str] = []
    for line in lines:
        if line.strip():
            paragraph.append(line)
        elif paragraph:
            yield paragraph
            paragraph = []
    if paragraph:
        yield paragraph


def _is_by_person(line: str) -> bool:
    """Return whether a person wrote a line that opens like a log's: sentence, question, I or my."""
    if not _MAY_BE_SAID.match(line) or _CODE.match(line) or _mostly_odd(line):
        return False
    # "Traceback (most recent call last):" ends like a sentence, too.
    said = line.rstrip(" :)'\"")
    if speaks(said) or said.endswith("?"):
        return True
    # Programs word what follows an exception's name as a sentence.
    return is_sentence(said) and not _EXCEPTION.match(line)


def _machine_lines(paragraph: list[str]) -> list[bool]:
    marks = _repeated_openings(paragraph)
    source_depth = -1  # indentation of a trace's "File ..." line: its source line is deeper
    for number, line in enumerate(paragraph):
        depth = len(line) - len(line.lstrip())
        marks[number] = marks[number] or is_machine_line(line) or 0 <= source_depth < depth
        source_depth = depth if _SOURCE_FOLLOWS.match(line) else -1
    return marks


def _repeated_openings(paragraph: list[str]) -> list[bool]:
    """Mark runs of lines that open with the same label ("ld: ...") or tool ("CXX a.o")."""
    marks = [False] * len(paragraph)
    if len(paragraph) < _MIN_REPEATED:
        return marks
    openings = [line.split(maxsplit=1)[0] for line in paragraph]
    start = 0
    for end in range(1, len(openings) + 1):
        if end < len(openings) and openings[end] == openings[start]:
            continue
        opening = openings[start]
        by_machine = opening.endswith(":") or (
            opening.isupper() and all(map(_has_odd_word, paragraph[start:end]))
        )
        if by_machine and end - start >= _MIN_REPEATED:
            marks[start:end] = [True] * (end - start)
        start = end
    return marks


def _mostly_odd(line: str) -> bool:
    words = plain_line(line[:1000]).split()
    return 2 * _odd_words(words) > len(words)


def _has_odd_word(line: str) -> bool:
    return any(_ODD_WORD.search(word) for word in line[:200].split()[1:])


def _odd_words(words: list[str]) -> int:
    return sum(1 for word in words if _ODD_WORD.search(word) and not _has_foreign_letter(word))


def _has_foreign_letter(word: str) -> bool:
    """Return whether a word is of a script that may write sentences without spaces."""
    return not word.isascii() and any(char > "\x7f" and char.isalpha() for char in word)
