"""The two errors that cross the border of this package: the user's fault and ours."""


class AnnotationError(Exception):
    """An annotation that did not happen."""


class InputRefused(AnnotationError):
    """The input's fault; the text is one sentence for the person who sent it."""


class AnnotatorFailed(AnnotationError):
    """Our fault; the text is for the operator."""


class DiskFull(AnnotatorFailed):
    """This machine has no room for the work; the file and the program are well."""
