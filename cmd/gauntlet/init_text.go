package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// text is the target file that the flags describe.
func (c initCmd) text() ([]byte, error) {
	var b strings.Builder
	b.WriteString("# A target of gauntlet run. What else may stand here: gauntlet list targets --schema\n")
	say := func(key, value string) {
		if value != "" {
			b.WriteString(key + ": " + value + "\n")
		}
	}
	command := func(key, text string) error {
		args, err := shellWords(text)
		if err != nil {
			return fmt.Errorf("--%s: %w", key, err)
		}
		say(key, flow(args))
		return nil
	}
	say("name", scalar(c.Name))
	if c.Start != "" {
		if err := command("start", c.Start); err != nil {
			return nil, err
		}
	}
	say("url", scalar(c.URL))
	if err := c.files(say); err != nil {
		return nil, err
	}
	if len(c.BackendListen) > 0 {
		say("backends", "{listen: "+flow(c.BackendListen)+"}")
	}
	var request []string
	for _, field := range [][2]string{{"host", c.Host}, {"prefix", c.Prefix}} {
		if field[1] != "" {
			request = append(request, field[0]+": "+scalar(field[1]))
		}
	}
	if len(request) > 0 {
		say("request", "{"+strings.Join(request, ", ")+"}")
	}
	say("drain", scalar(c.Drain))
	say("stop", scalar(c.Stop))
	switch {
	case strings.HasPrefix(c.Reload, "SIG"):
		say("reload", scalar(c.Reload))
	case c.Reload != "":
		if err := command("reload", c.Reload); err != nil {
			return nil, err
		}
	}
	b.WriteString("# What it can do. What is not named here is not asked; see gauntlet run --plan.\n")
	say("features", flow(c.Features))
	b.WriteString("# What is fixed, such as {upstream.timeouts.headers: 30s}; see gauntlet list settings.\nsettings: {}\n")
	return []byte(b.String()), nil
}

func (c initCmd) files(say func(key, value string)) error {
	if c.File == "" {
		if len(c.Replace) > 0 {
			return errors.New("--replace: stands without --file; allowed: with the file in which to replace")
		}
		return nil
	}
	var replace []string
	for _, r := range c.Replace {
		i := strings.LastIndex(r, "=")
		if i <= 0 {
			return fmt.Errorf("--replace: found %q; allowed: OLD=NEW", r)
		}
		replace = append(replace, quoted(r[:i])+": "+scalar(r[i+1:]))
	}
	say("files", "[{from: "+scalar(c.File)+", replace: {"+strings.Join(replace, ", ")+"}}]")
	return nil
}

// plainWord matches what YAML takes for text without quotes, wherever it
// stands; words such as true and null do not hold a dot, slash or dash alone.
var plainWord = regexp.MustCompile(`^-{0,2}[A-Za-z./_][A-Za-z0-9./_-]*$`)

func scalar(text string) string {
	switch strings.ToLower(text) {
	case "":
		return ""
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n", ".inf", ".nan":
		return quoted(text)
	}
	if plainWord.MatchString(text) {
		return text
	}
	return quoted(text)
}

// quoted writes text between double quotes: what JSON means by them YAML does.
// What is not UTF-8 stays as it is, for the reader of the file to refuse.
func quoted(text string) string {
	if !utf8.ValidString(text) {
		return `"` + text + `"`
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return `""` // a string can always be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func flow(list []string) string {
	words := make([]string, len(list))
	for i, text := range list {
		if words[i] = scalar(text); text == "" {
			words[i] = `""`
		}
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// shellWords splits a command as a shell does where it only has words and
// quotes. Nothing is expanded.
func shellWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	begun, escaped := false, false
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("found bytes that are not UTF-8 in %q; allowed: UTF-8 text", text)
	}
	for _, r := range text {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, begun = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("found %q, in which a quote or a backslash does not end; allowed: a command as one writes it in a shell", text)
	}
	if begun {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("found %q; allowed: a command", text)
	}
	return words, nil
}
