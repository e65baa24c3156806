"""The REST API, /api/v1: the verbs of gas.services for programs.

Send `Authorization: Bearer gas_...`; bodies are JSON. Every error is `application/problem+json`
(`ProblemDetails`). Lists are `{"items": [...]}`, those with `next_cursor` go on with `?cursor=`.
GETs without signed links have an ETag and know If-None-Match. Answers tell `RateLimit-Limit`,
`RateLimit-Remaining` and `RateLimit-Reset` (seconds); 429 and 503 tell `Retry-After`.

| method and path                       | scope         | takes -> gives                           |
|---------------------------------------|---------------|------------------------------------------|
| GET    /openapi.json                  | no token      | the document                             |
| GET    /me                            | account:read  | Me                                       |
| GET    /bundles                       | any token     | BundleList                               |
| GET    /bundles/{name}                | any token     | Bundle                                   |
| GET    /subscription                  | account:read  | Subscription                             |
| POST   /subscription/checkout         | account:write | PageLink                                 |
| POST   /subscription/portal           | account:write | PageLink                                 |
| GET    /webhooks                      | account:read  | WebhookList                              |
| POST   /webhooks                      | account:write | NewWebhook -> 201 NewlyMadeWebhook       |
| GET    /webhooks/{webhook_id}         | account:read  | Webhook                                  |
| DELETE /webhooks/{webhook_id}         | account:write | 204                                      |
| POST   /webhooks/{webhook_id}/pause   | account:write | Webhook                                  |
| POST   /webhooks/{webhook_id}/resume  | account:write | Webhook                                  |
| POST   /webhooks/{webhook_id}/test    | account:write | 202 Delivery                             |
| GET    /webhooks/{webhook_id}/deliveries | account:read | ?limit=&cursor= -> DeliveryPage        |
| POST   /webhooks/{webhook_id}/deliveries/{id}/send | account:write | 202 Delivery              |
| GET    /tokens                        | account:read  | TokenList                                |
| DELETE /tokens/current                | any token     | 204: revokes the token of the request    |
| DELETE /tokens/{token_id}             | account:write | 204                                      |
| GET    /uploads                       | jobs:write    | UploadPage: those that can go on         |
| POST   /uploads                       | jobs:write    | NewUpload -> 201 BegunUpload             |
| GET    /uploads/{upload_id}           | jobs:write    | Upload                                   |
| DELETE /uploads/{upload_id}           | jobs:write    | 204                                      |
| GET    /uploads/{upload_id}/parts     | jobs:write    | UploadParts                              |
| POST   /uploads/{upload_id}/parts     | jobs:write    | PartsToSign -> SignedParts               |
| POST   /uploads/{upload_id}/complete  | jobs:write    | Upload; 409 until all has arrived        |
| GET    /jobs                          | jobs:read     | ?status=&q=&since=&until=&limit=&cursor= |
|                                       |               | -> JobPage                               |
| POST   /jobs                          | jobs:write    | NewJob, Idempotency-Key -> 201 JobDetail |
| GET    /jobs/{job_id}                 | jobs:read     | JobDetail                                |
| DELETE /jobs/{job_id}                 | jobs:delete   | 204                                      |
| POST   /jobs/{job_id}/cancel          | jobs:write    | JobDetail                                |
| POST   /jobs/{job_id}/rerun           | jobs:write    | Idempotency-Key -> 201 JobDetail         |
| POST   /jobs/{job_id}/restore         | jobs:write    | 202 JobDetail: back from the archive     |
| GET    /jobs/{job_id}/events          | jobs:read     | ?limit=&cursor= -> EventPage             |
| GET    /jobs/{job_id}/log             | jobs:read     | text/plain                               |
| GET    /jobs/{job_id}/summary         | jobs:read     | Summary                                  |
| GET    /jobs/{job_id}/provenance      | jobs:read     | Provenance                               |
| GET    /jobs/{job_id}/files           | jobs:read     | FileList                                 |
| GET    /jobs/{job_id}/files/{kind}    | jobs:read     | FileLink                                 |
| GET    /jobs/{job_id}/files/{kind}/content | jobs:read | 302 to the bytes                        |
| GET    /jobs/{job_id}/variants        | jobs:read     | ?gene=...&sort=&cursor= -> VariantPage   |
| GET    /jobs/{job_id}/variants/{row}  | jobs:read     | Transcripts                              |
| GET    /jobs/{job_id}/export/{kind}   | jobs:read     | ?gene=... -> the file; 302 unfiltered    |
"""
