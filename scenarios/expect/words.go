package expect

// A Word is one word of the expression language, for documentation.
type Word struct {
	Of      string // the type it belongs to; empty for what an expression may start from
	Name    string
	Form    string // as written: window(from, until)
	Type    string
	Meaning string
}

// Vocabulary lists the language: variables and functions first, then the fields
// and methods of each type.
func Vocabulary() []Word {
	var words []Word
	for _, m := range variables() {
		words = append(words, Word{Name: m.name, Form: m.name, Type: m.typ.String(), Meaning: m.doc})
	}
	words = append(words,
		Word{"", "exchange", `exchange("name")`, "Exchange", "the exchange that `as` names"},
		Word{"", "attempts", `attempts("name")`, "list(Attempt)", "its tries, as the target's trace tells them"},
		Word{"", "from", `from("window")`, "duration", "when a window opened, from the case's begin"},
		Word{"", "until", `until("window")`, "duration", "when it closed"},
		Word{"", "first_success_after", `first_success_after("window")`, "duration", "end of the first exchange begun after the window and delivered below 400; the case's end when there is none"},
		Word{"", "load", `load("name")`, "Load", "one load"},
		Word{"", "setting", `setting("dotted.name")`, "the setting's", "its value in effect at the target"},
		Word{"", "span_events", `span_events("name")`, "int", "span events of that name in all traces"},
		Word{"Backend", "backend", `backend(n)`, "Backend", "backend n, from 1"},
		Word{"Backend", "sightings", `backend.sightings("name")`, "int", "times the exchange was seen, partly seen included"},
		Word{"Backend", "arrivals", `backend.arrivals(from, until)`, "int", "requests whose first byte came in that time"},
		Word{"Backend", "max_concurrent", `backend.max_concurrent(from, until)`, "int", "most requests run at one moment of that time"},
		Word{"Backend", "requests_on", `backend(n).requests_on(connection)`, "int", "requests on one connection"},
		Word{"Client", "status", `client.status(503)`, "int", "exchanges that ended with that status"},
		Word{"Load", "window", `load("name").window(from, until)`, "Load", "the exchanges intended to start in that time"},
		Word{"Target", "settled", `target.settled(duration("3s"))`, "Sample", "the last look no later than that after the clients' end"},
		Word{"Target", "exited_within", `target.exited_within(duration("10s"))`, "bool", "it exited so soon after a graceful stop was asked for"},
	)
	all := kinds()
	for _, name := range sortedKeys(all) {
		for _, m := range all[name].fields {
			words = append(words, Word{Of: name, Name: m.name, Form: m.name, Type: m.typ.String(), Meaning: m.doc})
		}
	}
	return words
}
