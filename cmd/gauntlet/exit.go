package main

import (
	"errors"
	"fmt"

	"gauntlet/reports"
)

// The exit codes are the verdict; scripts build upon them.
const (
	exitGood    = 0 // passed, or exposed
	exitFail    = 1 // something that must hold did not
	exitUsage   = 2 // wrong arguments, or a malformed file
	exitInvalid = 3 // the harness could not tell
)

// usageError says that what was asked for makes no sense: nothing was run.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usage marks an error as the caller's; nil stays nil.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}

// verdictError ends a command whose verdict is not good. The report has said
// why, so nothing more is printed.
type verdictError struct{ verdict reports.Verdict }

func (e *verdictError) Error() string { return fmt.Sprintf("the verdict is %s", e.verdict) }

// verdict turns a run's verdict into the command's error; strict refuses what
// is merely exposed.
func verdict(v reports.Verdict, strict bool) error {
	if v.Good(strict) {
		return nil
	}
	return &verdictError{v}
}

// exitCode is the one place that turns errors into exit codes. An error that
// nobody classified is the harness's own, so nothing was learnt: invalid.
func exitCode(err error) int {
	var asked *usageError
	var judged *verdictError
	switch {
	case err == nil:
		return exitGood
	case errors.As(err, &asked):
		return exitUsage
	case errors.As(err, &judged) && (judged.verdict == reports.Fail || judged.verdict == reports.Exposed):
		return exitFail
	default:
		return exitInvalid
	}
}

// message is what is printed of an error before the process ends.
func message(err error) string {
	var judged *verdictError
	if err == nil || errors.As(err, &judged) {
		return ""
	}
	return err.Error()
}
