// Package transport holds the pooled connections to one upstream endpoint,
// HTTP/1.1 and HTTP/2. One call of RoundTrip is one attempt on one connection:
// nothing here repeats a request, picks an endpoint or decides about a status.
// What went wrong leaves as one classified type, Error; what happened is
// written into the Attempt carried by the request's context.
//
// What may not live here: retries, balancing, breakers, routing, telemetry.
package transport
