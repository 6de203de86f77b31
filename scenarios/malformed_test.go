package scenarios_test

// good is a scenario that loads; malformed says what is replaced in it by what.
const good = `id: keepalive/good
question: Does it load?
level: must
tags: [smoke]
requires: [recovery]
vary: {method: [GET, POST], cut: [{name: a, n: 1}, {name: b, n: 2}]}
given: {upstream.retries: 1, upstream: {pool: {wait: 1s}}}
repeat: 2
backends:
  - script:
      - when: during.outage && connection == 1
        do: [{read: request}, {respond: 200}]
clients:
  - name: asker
    do: [{send: {method: "${method}", path: "/${cut.n}"}, as: one}, {reach: sent}, receive]
load:
  - {name: steady, rate: 10/s, for: 5s}
during:
  outage: {from: 1s, until: 2s}
faults:
  - {name: slow, from: 1s, until: 2s, link: backend-1, fault: {latency: {delay: 1ms}}}
actions:
  - {at: 3s, do: drain}
expect:
  - that: exchange("one").outcome == "delivered"
  - invariants
slo:
  - {over: steady, except: faults, availability: 99%}
catches: [any]
`

// table is what stands in the place of catches where checks are at fault.
const table = `checks:
  - name: whole
    section: RFC 9112 §6.3
    because: it is
    send: "GET / HTTP/1.1\r\n${front}Host: a\r\n\r\n"
    answer: [{read: request}, {respond: 200}]
    allow: [{client: 200, backend: once}]
catches: [any]`

var malformed = map[string][]string{
	"without-of-drain":         {"do: drain}", "do: drain, without: [1]}"},
	"without-nobody-left":      {"do: drain}", "do: reload, without: [1]}"},
	"without-a-stranger":       {"do: drain}", "do: reload, without: [2]}"},
	"id-missing":               {"id: keepalive/good\n", ""},
	"id-pattern":               {"keepalive/good", "Keepalive"},
	"question-empty":           {"Does it load?", `" "`},
	"level-unknown":            {"level: must", "level: shall"},
	"unaudited-unknown":        {"catches: [any]", "unaudited: {spans: why not}\ncatches: [any]"},
	"unaudited-why":            {"catches: [any]", "unaudited: {nesting: \"\"}\ncatches: [any]"},
	"key-unknown":              {"tags: [smoke]", "tag: [smoke]"},
	"key-twice":                {"level: must", "level: must\nlevel: may"},
	"tag-pattern":              {"[smoke]", "[Smoke Test]"},
	"feature-unknown":          {"[recovery]", "[magic]"},
	"vary-empty":               {"[GET, POST]", "[]"},
	"vary-nameless":            {"{name: a, n: 1}", "{n: 1}"},
	"vary-same-names":          {"[GET, POST]", "[GET, GET]"},
	"vary-reserved":            {"method: [GET", "client: [GET"},
	"vary-unused":              {"{method: [", "{colour: [red], method: ["},
	"vary-unknown":             {"/${cut.n}", "/${cat.n}"},
	"vary-no-field":            {"/${cut.n}", "/${cut.m}"},
	"vary-field-in-one-case":   {"{name: b, n: 2}", "{name: b}"},
	"vary-map-in-text":         {"/${cut.n}", "/${cut}"},
	"setting-unknown":          {"upstream.retries: 1", "upstream.retrys: 1"},
	"setting-type":             {"wait: 1s", "wait: 1"},
	"setting-twice":            {"upstream: {pool", "upstream: {retries: 1, pool"},
	"endpoints-differ":         {"upstream.retries: 1", "upstream.endpoints: 2"},
	"repeat-zero":              {"repeat: 2", "repeat: 0"},
	"repeat-text":              {"repeat: 2", "repeat: often"},
	"backends-missing":         {"backends:\n  - script:\n      - when: during.outage && connection == 1\n        do: [{read: request}, {respond: 200}]\n", ""},
	"backend-count":            {"  - script:", "  - count: 0\n    script:"},
	"backend-protocol":         {"  - script:", "  - protocol: h3\n    script:"},
	"backends-mixed":           {"  - script:", "  - {protocol: h2, tls: {}}\n  - script:"},
	"backend-settings":         {"  - script:", "  - settings: {initial_window: 1}\n    script:"},
	"backend-certificate":      {"  - script:", "  - tls: {certificate: wooden}\n    script:"},
	"protocol-by-hand":         {"upstream.retries: 1", "upstream.protocol: h2"},
	"step-of-h2":               {"{respond: 200}", "goaway"},
	"step-unknown":             {"{respond: 200}", "{answer: 200}"},
	"step-of-the-other-side":   {"{respond: 200}", "{send: {path: /}}"},
	"when-syntax":              {"connection == 1", "connection = 1"},
	"when-window":              {"during.outage", "during.outrage"},
	"client-steps-missing":     {"    do: [{send", "    to: [{send"},
	"name-in-times":            {"name: asker", "name: asker\n    times: 3"},
	"name-twice":               {"as: one}, ", "as: one}, receive, {send: {path: /}, as: one}, "},
	"barrier-unreached":        {"{reach: sent}", "{await: sent}"},
	"load-rate":                {"rate: 10/s", "rate: 10"},
	"load-named-as-client":     {"name: steady, rate", "name: asker, rate"},
	"window-backwards":         {"outage: {from: 1s", "outage: {from: 3s"},
	"window-name-twice":        {"{name: slow", "{name: outage"},
	"fault-link":               {"link: backend-1", "link: backend-2"},
	"fault-unknown":            {"{latency: {delay: 1ms}}", "gremlins"},
	"fault-missing":            {", fault: {latency: {delay: 1ms}}", ""},
	"fault-backwards":          {"name: slow, from: 1s", "name: slow, from: 2s"},
	"exec-nothing":             {"do: drain", "do: exec"},
	"exec-of-another":          {"do: drain", "do: drain, run: [true], env: {A: b}, within: 1s"},
	"exec-placeholder":         {"do: drain", "do: exec, run: [\"${backend.0}\"], env: {A: \"${listen}\"}"},
	"exec-within":              {"do: drain", "do: exec, run: [\"\"], within: -1s"},
	"action-unknown":           {"do: drain", "do: explode"},
	"action-never":             {"at: 3s, do", "do"},
	"action-backend":           {"do: drain", "do: stop-backend"},
	"action-start":             {"do: drain", "do: start-backend, backend: 1"},
	"action-restart":           {"do: drain", "do: restart-backend, backend: 1"},
	"action-for":               {"do: drain", "do: drain, for: 1s, name: gone"},
	"action-spare":             {"do: drain", "do: limit-descriptors, for: 1s, spare: -1"},
	"action-spare-of-another":  {"do: drain", "do: drain, spare: 3"},
	"expect-exchange":          {`exchange("one")`, `exchange("two")`},
	"expect-field":             {".outcome ==", ".outcom =="},
	"expect-type":              {` == "delivered"`, ""},
	"expect-substituted":       {`exchange("one").outcome == "delivered"`, `'exchange("one").outcome == "${method}" && ledger.lst == 0'`},
	"expect-level":             {"  - invariants", "  - {that: invariants, level: shall}"},
	"expect-needs":             {"  - invariants", "  - {that: invariants, needs: luck}"},
	"expect-twice":             {"  - invariants", "  - invariants\n  - invariants"},
	"slo-load":                 {"over: steady", "over: sturdy"},
	"slo-nothing":              {", availability: 99%", ""},
	"slo-window":               {"except: faults", "except: storm"},
	"several":                  {"level: must", "level: shall", "repeat: 2", "repeat: 0", "{respond: 200}", "{answer: 200}", "do: drain", "do: explode", "over: steady", "over: sturdy"},
	"anchor":                   {"level: must", "level: &l must"},
	"not-yaml":                 {"tags: [smoke]", "tags: [smoke"},
	"checks-name":              {"catches: [any]", table, "name: whole", "name: Whole"},
	"checks-section":           {"catches: [any]", table, "RFC 9112 §6.3", "chapter 6"},
	"checks-level":             {"catches: [any]", table, "    because: it is", "    level: shall\n    because: it is"},
	"checks-because":           {"catches: [any]", table, "because: it is", "because: \"\""},
	"checks-front":             {"catches: [any]", table, "${front}", ""},
	"checks-nothing-sent":      {"catches: [any]", table, "    send: \"GET / HTTP/1.1\\r\\n${front}Host: a\\r\\n\\r\\n\"\n", ""},
	"checks-sent-twice":        {"catches: [any]", table, "    answer:", "    do: [receive]\n    answer:"},
	"checks-do-unnamed":        {"catches: [any]", table, "send: \"GET / HTTP/1.1\\r\\n${front}Host: a\\r\\n\\r\\n\"", "do: [{send: {path: /}, as: other}]"},
	"checks-raw-on-h2":         {"catches: [any]", table, "    because: it is", "    protocol: h2\n    because: it is"},
	"checks-answer":            {"catches: [any]", table, "answer: [{read: request}, {respond: 200}]", "answer: [{send: {path: /}}]"},
	"checks-allow-nothing":     {"catches: [any]", table, "allow: [{client: 200, backend: once}]", "allow: []"},
	"checks-word":              {"catches: [any]", table, "client: 200, backend: once", "client: happy, backend: twice"},
	"checks-nothing-that-says": {"catches: [any]", table, "backend: once", "backend: {is: nothing, body: a}"},
	"checks-expression":        {"catches: [any]", table, "backend: once", "backend: {fields: {Via: \"~(\"}}"},
	"checks-placeholder":       {"catches: [any]", table, "${front}", "${front}${fill:many}"},
}
