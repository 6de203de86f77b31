package process

import (
	"fmt"
	"strconv"
	"strings"
)

// The words of the control socket, one line each: the supervisor says started
// PID or failed TEXT, later exited CODE SIGNAL; we say signal NUMBER. Closing the
// socket says kill everything.
const (
	wordStarted = "started"
	wordFailed  = "failed"
	wordExited  = "exited"
	wordSignal  = "signal"
)

// message is one line of the control socket.
type message struct {
	word           string
	number, second int
	text           string // of wordFailed
}

func (m message) String() string {
	switch m.word {
	case wordFailed:
		return m.word + " " + strings.Join(strings.Fields(m.text), " ") + "\n"
	case wordExited:
		return fmt.Sprintf("%s %d %d\n", m.word, m.number, m.second)
	}
	return fmt.Sprintf("%s %d\n", m.word, m.number)
}

func parseMessage(line string) (m message, err error) {
	m.word, m.text, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	numbers := strings.Fields(m.text)
	want := map[string]int{wordStarted: 1, wordExited: 2, wordSignal: 1}[m.word]
	if m.word == wordFailed {
		return m, nil
	}
	if want == 0 || len(numbers) != want {
		return message{}, fmt.Errorf("control message %q", line)
	}
	m.text = ""
	if m.number, err = strconv.Atoi(numbers[0]); err == nil && want == 2 {
		m.second, err = strconv.Atoi(numbers[1])
	}
	return m, err
}
