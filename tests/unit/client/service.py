"""A service and its storage as the client meets them, with faults on demand; no socket."""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

ADDRESS, STORAGE = "https://gas.example.org", "https://storage.example.org"
TOKEN = "gas_a-token-of-the-tests"
UPLOAD = "0b7e6d0e-6a55-4c8e-9d0f-3f7a3c1b2a1{}"
#: What goes wrong instead of an answer.
Fault = httpx.Response | BaseException | Callable[[httpx.Request], httpx.Response]


def problem(status: int, detail: str, kind: str = "refused", **headers: str) -> httpx.Response:
    """An error as the service tells it."""
    told = {"type": f"{ADDRESS}/help/problems/#{kind}", "title": "No", "detail": detail}
    return httpx.Response(
        status,
        json=told | {"status": status},
        headers={k.replace("_", "-"): v for k, v in headers.items()},
    )


def job_document(number: int, **more: Any) -> dict[str, Any]:
    """A job as the service tells of it."""
    return {
        "id": number,
        "status": "queued",
        "name": "Trio",
        "notes": "",
        "bundle": "demo",
        "filename": "trio.vcf",
        "size": 7,
        "stage": None,
        "percent": None,
        "variants": None,
        "failure": None,
        "is_stalled": False,
        "created_at": "2026-03-02T09:30:00Z",
        "completed_at": None,
        "archives_at": None,
        "page": f"{ADDRESS}/jobs/{number}/",
        **more,
    }


@dataclass
class Sending:
    """An upload that the service knows."""

    id: str
    filename: str
    size: int
    status: str = "pending"
    parts: dict[int, str] = field(default_factory=dict)


@dataclass
class Service(httpx.BaseTransport):
    """One account of one service; its rows can be looked at and changed."""

    part_size: int = 1000
    uploads: dict[str, Sending] = field(default_factory=dict)
    jobs: dict[int, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    etag: str = '"one"'
    variants: list[dict[str, Any]] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    faults: list[tuple[str, str, Fault]] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def fail(self, method: str, path: str, *faults: Fault) -> None:
        """Let the next requests whose path fits the pattern go wrong, each in one of these ways."""
        self.faults += [(method, path, fault) for fault in faults]

    def asked(self, method: str, path: str = "") -> list[httpx.Request]:
        """The requests so far whose path fits a pattern."""
        return [
            one for one in self.requests if one.method == method and re.search(path, str(one.url))
        ]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or do what was planned."""
        with self._lock:
            self.requests.append(request)
            fault = self._fault(request)
        if isinstance(fault, BaseException):
            raise fault
        if isinstance(fault, httpx.Response):
            return fault
        if fault:
            return fault(request)
        return self.answer(request)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as one does on a good day."""
        if str(request.url).startswith(STORAGE):
            return self._store(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return problem(401, "Send a living API token.", "unauthorized")
        body = json.loads(request.read() or b"null")
        with self._lock:
            for method, pattern, answer in self._routes():
                found = re.fullmatch(f"/api/v1{pattern}", request.url.path)
                if found and method == request.method:
                    return answer(request, body, *found.groups())
        return problem(404, "There is no such address.", "not-found")

    def _fault(self, request: httpx.Request) -> Fault | None:
        for planned in self.faults:
            method, path, fault = planned
            if method == request.method and re.search(path, str(request.url)):
                self.faults.remove(planned)
                return fault
        return None

    def _routes(self) -> list[tuple[str, str, Callable[..., httpx.Response]]]:
        return [
            ("GET", "/me", self._me),
            ("GET", "/bundles", self._bundles),
            ("DELETE", "/tokens/current", lambda *_: httpx.Response(204)),
            ("POST", "/uploads", self._begin),
            ("GET", r"/uploads/([\w-]+)", self._upload),
            ("GET", r"/uploads/([\w-]+)/parts", self._upload),
            ("POST", r"/uploads/([\w-]+)/parts", self._sign),
            ("POST", "/jobs", self._submit),
            ("GET", "/jobs", self._list),
            ("GET", r"/jobs/(\d+)", self._job),
            ("DELETE", r"/jobs/(\d+)", self._delete),
            ("POST", r"/jobs/(\d+)/(cancel|restore)", self._job),
            ("POST", r"/jobs/(\d+)/(rerun)", self._rerun),
            (
                "GET",
                r"/jobs/(\d+)/log",
                lambda *_: httpx.Response(200, text="read\x1b[2J\nwrote\n"),
            ),
            ("GET", r"/jobs/(\d+)/files", self._files),
            ("GET", r"/jobs/(\d+)/files/(\w+)", self._file),
            ("GET", r"/jobs/(\d+)/variants", self._variants),
            ("GET", r"/jobs/(\d+)/export/(\w+)", self._export),
        ]

    def _me(self, *_: Any) -> httpx.Response:
        plan = {"name": "free", "max_upload_bytes": 52428800, "max_active_jobs": 10}
        token = {"name": "notebook", "scopes": ["jobs:read"], "expires_at": "2026-06-02T09:30:00Z"}
        return httpx.Response(
            200,
            json={
                "account": "somebody",
                "plan": plan | {"max_stored_bytes": 2**30},
                "usage": {"active_jobs": 1, "stored_bytes": 2048},
                "token": token,
            },
        )

    def _bundles(self, *_: Any) -> httpx.Response:
        source = {"name": "ClinVar", "release": "2024-08"}
        demo = {"name": "demo-grch38", "assembly": "GRCh38", "genes": "RefSeq", "is_default": True}
        return httpx.Response(200, json={"items": [demo | {"sources": [source]}]})

    def _begin(self, request: httpx.Request, body: Any) -> httpx.Response:
        new = Sending(UPLOAD.format(len(self.uploads)), body["filename"], body["size"])
        pending = [
            one
            for one in self.uploads.values()
            if (one.status, one.filename, one.size) == ("pending", new.filename, new.size)
        ]
        upload = pending[0] if pending else new
        self.uploads[upload.id] = upload
        return httpx.Response(201, json=self._told(upload))

    def _told(self, upload: Sending) -> dict[str, Any]:
        arrived = [{"number": n, "sha256": digest} for n, digest in upload.parts.items()]
        told = {"id": upload.id, "status": upload.status, "part_size": self.part_size}
        return told | {"arrived": arrived}

    def _upload(self, request: httpx.Request, body: Any, upload: str) -> httpx.Response:
        if upload not in self.uploads:
            return problem(404, "There is no such upload.", "not-found")
        return httpx.Response(200, json=self._told(self.uploads[upload]))

    def _sign(self, request: httpx.Request, body: Any, upload: str) -> httpx.Response:
        (part,) = body["parts"]
        url = f"{STORAGE}/inputs/{upload}?part={part['number']}"
        link = {"url": url, "headers": {"x-amz-checksum-sha256": part["sha256"]}}
        return httpx.Response(200, json={"parts": [link]})

    def _submit(self, request: httpx.Request, body: Any) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        if key not in self.keys:
            self.keys[key] = len(self.jobs) + 1
            name = body["name"] or "Example"
            self.jobs[self.keys[key]] = job_document(self.keys[key], name=name)
            if upload := self.uploads.get(body.get("upload", "")):
                upload.status = "complete"
        return httpx.Response(201, json=self.jobs[self.keys[key]])

    def _rerun(self, request: httpx.Request, body: Any, number: str, _: str) -> httpx.Response:
        return self._submit(request, {"name": self.jobs[int(number)]["name"]})

    def _list(self, request: httpx.Request, body: Any) -> httpx.Response:
        below = int(request.url.params.get("cursor", 10**9))
        some = sorted((n for n in self.jobs if n < below), reverse=True)[:2]
        more = str(some[-1]) if some and min(self.jobs) < some[-1] else None
        told = {"items": [self.jobs[n] for n in some], "next_cursor": more}
        return httpx.Response(200, json=told)

    def _job(
        self, request: httpx.Request, body: Any, number: str, verb: str = ""
    ) -> httpx.Response:
        job = self.jobs.get(int(number))
        if job is None:
            return problem(404, "There is no such job.", "not-found")
        if verb:
            job["status"] = {"cancel": "cancelled", "restore": "thawing"}[verb]
        return httpx.Response(200, json=job)

    def _delete(self, request: httpx.Request, body: Any, number: str) -> httpx.Response:
        del self.jobs[int(number)]
        return httpx.Response(204)

    def _files(self, request: httpx.Request, body: Any, number: str) -> httpx.Response:
        told = [self._file_document(kind) for kind in self.files]
        return httpx.Response(200, json={"items": told})

    def _file(self, request: httpx.Request, body: Any, number: str, kind: str) -> httpx.Response:
        url = f"{STORAGE}/results/{number}/{kind}?signature={len(self.requests)}"
        return httpx.Response(200, json=self._file_document(kind) | {"url": url})

    def _file_document(self, kind: str) -> dict[str, Any]:
        content = self.files[kind]
        digest = hashlib.sha256(content).hexdigest()
        told = {"kind": kind, "name": f"annotated.{kind}", "size": len(content)}
        return told | {"sha256": digest, "is_at_hand": True}

    def _variants(self, request: httpx.Request, body: Any, number: str) -> httpx.Response:
        start = int(request.url.params.get("cursor", 0))
        more = str(start + 2) if start + 2 < len(self.variants) else None
        count = {"variants": len(self.variants), "rows": len(self.variants), "exact": True}
        told = {"items": self.variants[start : start + 2], "next_cursor": more, "count": count}
        return httpx.Response(200, json=told)

    def _export(self, request: httpx.Request, body: Any, number: str, kind: str) -> httpx.Response:
        return httpx.Response(200, stream=Pieces(self.files[kind]))

    def _store(self, request: httpx.Request) -> httpx.Response:
        """S3: take a part of exactly the announced bytes, or give a range."""
        name = request.url.path.rpartition("/")[2]
        if request.method == "PUT":
            digest, size = hashlib.sha256(), 0
            for chunk in _stream_of(request):
                digest.update(chunk)
                size += len(chunk)
            if digest.hexdigest() != request.headers["x-amz-checksum-sha256"]:
                return httpx.Response(400, text="<Error><Code>BadDigest</Code></Error>")
            assert size == int(request.headers["Content-Length"])
            with self._lock:
                self.uploads[name].parts[int(request.url.params["part"])] = digest.hexdigest()
            return httpx.Response(200)
        return ranged(request, self.files[name], self.etag)


def ranged(request: httpx.Request, content: bytes, etag: str) -> httpx.Response:
    """Answer as S3 does a request for some bytes of an object."""
    asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
    if not asked or request.headers.get("If-Range", etag) != etag:
        return httpx.Response(200, stream=Pieces(content), headers={"ETag": etag})
    start, end = int(asked[1]), int(asked[2]) + 1
    return httpx.Response(206, stream=Pieces(content[start:end]), headers={"ETag": etag})


class Pieces(httpx.SyncByteStream):
    """A body that comes in small pieces, and may break off after some bytes."""

    def __init__(self, content: bytes, *, breaks: bool = False) -> None:
        self._content, self._breaks = content, breaks

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), 100):
            yield self._content[start : start + 100]
        if self._breaks:
            raise httpx.ReadError("connection reset")


def _stream_of(request: httpx.Request) -> Iterator[bytes]:
    assert isinstance(request.stream, httpx.SyncByteStream)
    return iter(request.stream)
