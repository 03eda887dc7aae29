"""The OpenAPI document, part by part: names, tags, headers, problems, examples, links and webhooks."""
