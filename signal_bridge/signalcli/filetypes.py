"""Extensions of file names, and the media types that they stand for.

signal-cli has no parameter for the media type of a file: it tells it by the extension. So a file
goes out under a name whose extension has the right type here, and signal-cli is to know this table.
Types are IANA's where it has one, else what browsers say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_OASIS: Final = "application/vnd.oasis.opendocument."

# A type, and its extensions; the first is the one that a file of the type gets.
_TEXTS: Final = (
    ("text/plain", "txt text log conf cfg ini srt"),
    ("text/csv", "csv"),
    ("text/tab-separated-values", "tsv"),
    ("text/html", "html htm"),
    ("text/css", "css"),
    ("text/javascript", "js mjs"),
    ("text/markdown", "md markdown"),
    ("text/calendar", "ics ifb"),
    ("text/vcard", "vcf vcard"),
    ("text/vtt", "vtt"),
    ("text/xml", "xml"),
    ("text/rtf", "rtf"),
    ("text/x-python", "py"),
    ("text/x-tex", "tex"),
    ("text/x-diff", "diff patch"),
    ("image/svg+xml", "svg"),
    ("audio/x-mpegurl", "m3u m3u8"),
    ("message/rfc822", "eml"),
    ("application/json", "json"),
    ("application/geo+json", "geojson"),
    ("application/ld+json", "jsonld"),
    ("application/x-ndjson", "ndjson jsonl"),
    ("application/yaml", "yaml yml"),
    ("application/toml", "toml"),
    ("application/sql", "sql"),
    ("application/x-sh", "sh"),
    ("application/xhtml+xml", "xhtml xht"),
    ("application/gpx+xml", "gpx"),
    ("application/vnd.google-earth.kml+xml", "kml"),
    ("application/rss+xml", "rss"),
    ("application/atom+xml", "atom"),
    ("application/postscript", "ps eps ai"),
    ("application/pgp-encrypted", "pgp gpg"),
    ("application/pgp-keys", "asc"),
    ("application/x-pem-file", "pem"),
    ("application/x-x509-ca-cert", "crt cer der"),
)
_BINARIES: Final = (
    ("image/jpeg", "jpg jpeg jpe jfif"),
    ("image/png", "png"),
    ("image/apng", "apng"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/heic", "heic"),
    ("image/heif", "heif hif"),
    ("image/avif", "avif"),
    ("image/jxl", "jxl"),
    ("image/jp2", "jp2"),
    ("image/bmp", "bmp dib"),
    ("image/tiff", "tiff tif"),
    ("image/vnd.microsoft.icon", "ico"),
    ("image/x-win-bitmap", "cur"),
    ("image/vnd.adobe.photoshop", "psd"),
    ("image/vnd.djvu", "djvu djv"),
    ("image/x-adobe-dng", "dng"),
    ("audio/mpeg", "mp3 mp2 mpga"),
    ("audio/mp4", "m4a m4b"),
    ("audio/aac", "aac adts"),
    ("audio/ogg", "oga ogg opus spx"),
    ("audio/wav", "wav"),
    ("audio/flac", "flac"),
    ("audio/webm", "weba"),
    ("audio/x-matroska", "mka"),
    ("audio/amr", "amr"),
    ("audio/amr-wb", "awb"),
    ("audio/3gpp", "3ga"),
    ("audio/aiff", "aiff aif aifc"),
    ("audio/midi", "mid midi kar"),
    ("audio/x-caf", "caf"),
    ("audio/x-ms-wma", "wma"),
    ("video/mp4", "mp4 mp4v mpg4"),
    ("video/x-m4v", "m4v"),
    ("video/quicktime", "mov qt"),
    ("video/webm", "webm"),
    ("video/x-matroska", "mkv"),
    ("video/3gpp", "3gp 3gpp"),
    ("video/3gpp2", "3g2"),
    ("video/ogg", "ogv"),
    ("video/mpeg", "mpg mpeg mpe m1v m2v vob"),
    ("video/mp2t", "ts mts m2ts"),
    ("video/x-msvideo", "avi"),
    ("video/x-ms-asf", "asf"),
    ("video/x-ms-wmv", "wmv"),
    ("video/x-flv", "flv"),
    ("application/ogg", "ogx"),
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("application/gzip", "gz tgz"),
    ("application/x-bzip2", "bz2 tbz2"),
    ("application/x-xz", "xz txz"),
    ("application/zstd", "zst"),
    ("application/x-7z-compressed", "7z"),
    ("application/vnd.rar", "rar"),
    ("application/x-tar", "tar"),
    ("application/msword", "doc dot"),
    ("application/vnd.ms-excel", "xls xlt"),
    ("application/vnd.ms-powerpoint", "ppt pps"),
    ("application/vnd.ms-outlook", "msg"),
    ("application/vnd.visio", "vsd"),
    ("application/x-ole-storage", "ole"),  # one of these, of which nothing more can be told
    (_OFFICE + "wordprocessingml.document", "docx"),
    (_OFFICE + "wordprocessingml.template", "dotx"),
    (_OFFICE + "spreadsheetml.sheet", "xlsx"),
    (_OFFICE + "spreadsheetml.template", "xltx"),
    (_OFFICE + "presentationml.presentation", "pptx"),
    (_OFFICE + "presentationml.slideshow", "ppsx"),
    ("application/vnd.ms-word.document.macroenabled.12", "docm"),
    ("application/vnd.ms-excel.sheet.macroenabled.12", "xlsm"),
    ("application/vnd.ms-excel.sheet.binary.macroenabled.12", "xlsb"),
    ("application/vnd.ms-powerpoint.presentation.macroenabled.12", "pptm"),
    (_OASIS + "text", "odt"),
    (_OASIS + "spreadsheet", "ods"),
    (_OASIS + "presentation", "odp"),
    (_OASIS + "graphics", "odg"),
    ("application/vnd.apple.pages", "pages"),
    ("application/vnd.apple.numbers", "numbers"),
    ("application/vnd.apple.keynote", "key"),
    ("application/vnd.apple.pkpass", "pkpass"),
    ("application/vnd.google-earth.kmz", "kmz"),
    ("application/epub+zip", "epub"),
    ("application/x-mobipocket-ebook", "mobi prc"),
    ("application/vnd.android.package-archive", "apk"),
    ("application/java-archive", "jar"),
    ("application/x-msdownload", "exe"),
    ("application/x-msi", "msi"),
    ("application/vnd.debian.binary-package", "deb"),
    ("application/vnd.sqlite3", "sqlite sqlite3 db"),
    ("application/pkcs12", "p12 pfx"),
    ("model/stl", "stl"),
    ("font/ttf", "ttf"),
    ("font/otf", "otf"),
    ("application/octet-stream", "bin"),
)

# What else a sender may call them.
_OTHER_NAMES: Final = {
    "application/bzip2": "bz2",
    "application/x-bzip": "bz2",
    "application/csv": "csv",
    "application/x-csv": "csv",
    "text/x-csv": "csv",
    "text/comma-separated-values": "csv",
    "application/ecmascript": "js",
    "application/javascript": "js",
    "application/x-javascript": "js",
    "text/ecmascript": "js",
    "application/m3u": "m3u",
    "application/vnd.apple.mpegurl": "m3u8",
    "application/x-mpegurl": "m3u8",
    "audio/mpegurl": "m3u",
    "application/mp4": "mp4",
    "application/rtf": "rtf",
    "application/x-rtf": "rtf",
    "application/text": "txt",
    "application/x-subrip": "srt",
    "application/vnd.ms-msi": "msi",
    "application/x-apk": "apk",
    "application/x-debian-package": "deb",
    "application/x-gzip": "gz",
    "application/x-gtar": "tar",
    "application/x-java-archive": "jar",
    "application/x-json": "json",
    "text/json": "json",
    "text/x-json": "json",
    "application/jsonl": "ndjson",
    "application/x-midi": "mid",
    "audio/mid": "mid",
    "audio/x-mid": "mid",
    "audio/x-midi": "mid",
    "application/x-pdf": "pdf",
    "text/pdf": "pdf",
    "application/x-pkcs12": "p12",
    "application/x-rar": "rar",
    "application/x-rar-compressed": "rar",
    "application/rar": "rar",
    "application/x-sqlite3": "sqlite",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
    "text/x-yaml": "yaml",
    "application/x-zip": "zip",
    "application/x-zip-compressed": "zip",
    "application/x-zstd": "zst",
    "application/xml": "xml",
    "audio/aacp": "aac",
    "audio/x-aac": "aac",
    "audio/x-aiff": "aiff",
    "audio/x-amr": "amr",
    "audio/amr-nb": "amr",
    "audio/x-caff": "caf",
    "audio/x-flac": "flac",
    "audio/m4a": "m4a",
    "audio/x-m4a": "m4a",
    "audio/mp4a-latm": "m4a",
    "audio/x-m4b": "m4b",
    "audio/mp3": "mp3",
    "audio/x-mp3": "mp3",
    "audio/x-mpeg": "mp3",
    "audio/mpeg3": "mp3",
    "audio/x-mpeg-3": "mp3",
    "audio/opus": "opus",
    "audio/x-ogg": "ogg",
    "audio/vorbis": "ogg",
    "audio/speex": "spx",
    "audio/vnd.wave": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/x-pn-wav": "wav",
    "image/heic-sequence": "heic",
    "image/heif-sequence": "heif",
    "image/ico": "ico",
    "image/icon": "ico",
    "image/x-icon": "ico",
    "image/jpg": "jpg",
    "image/pjpeg": "jpg",
    "image/x-bmp": "bmp",
    "image/x-ms-bmp": "bmp",
    "image/x-png": "png",
    "image/x-psd": "psd",
    "image/x-tiff": "tiff",
    "text/directory": "vcf",
    "text/x-vcard": "vcf",
    "text/x-calendar": "ics",
    "text/x-log": "log",
    "text/x-markdown": "md",
    "text/x-patch": "diff",
    "text/x-sh": "sh",
    "text/x-shellscript": "sh",
    "text/x-sql": "sql",
    "video/avi": "avi",
    "video/msvideo": "avi",
    "video/m4v": "m4v",
    "video/mkv": "mkv",
    "video/matroska": "mkv",
    "audio/matroska": "mka",
    "video/mp2p": "mpg",
    "video/mpeg2": "mpg",
    "video/x-mpeg": "mpg",
    "video/flv": "flv",
}

_MEDIA_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
UNKNOWN: Final = "application/octet-stream"
"""The media type that says nothing."""


def _by_extension(rows: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    return ((extension, kind) for kind, extensions in rows for extension in extensions.split())


MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {**dict(_by_extension(_BINARIES)), **dict(_by_extension(_TEXTS))}
)
"""Each extension, in small letters and without its dot, and its media type without parameters."""

TEXT_EXTENSIONS: Final = frozenset(extension for extension, _kind in _by_extension(_TEXTS))
"""Those of files that are text."""

_EXTENSIONS: Final = _OTHER_NAMES | {kind: names.split()[0] for kind, names in _BINARIES + _TEXTS}


def extension_of(name: str) -> str:
    """The extension of a file name, in small letters and without its dot, if it has a known one."""
    extension = name.rpartition(".")[2].lower()
    return extension if "." in name and extension in MEDIA_TYPES else ""


def extension_for(content_type: str) -> str:
    """The extension that files of a type get, without its dot.

    Empty for a type that is unknown, is none, or says nothing. Parameters are ignored.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == UNKNOWN or not _MEDIA_TYPE.fullmatch(kind):
        return ""
    return _EXTENSIONS.get(kind, "")
