package ledger

import (
	"errors"
	"fmt"

	"gauntlet/fixtures/book"
)

// ErrBooks is wrapped by every error of Join: the books contradict themselves
// or each other in a way that only a defect of the harness explains.
var ErrBooks = errors.New("books cannot be joined")

// Books are the books of one run. Join keeps them.
type Books struct {
	Run    uint64
	Client *book.Book
	// Backends holds the book of backend n at index n-1; nil when it is missing.
	Backends []*book.Book
	// Died says from when on a backend is known to have been dead because the
	// scenario killed it: Unix nanoseconds at index n-1, 0 when it was not or
	// nobody knows. It may be shorter than Backends.
	Died []int64
	// Broken says where the record of a backend that was started again breaks off;
	// see Lives.
	Broken []Break
	// Rewritten says that the target was told to change the bodies of answers:
	// what they should be is for others to compare, here only whether they are
	// whole.
	Rewritten bool
	// Tapped says that the backends' books are those of taps before real backends:
	// nothing in an answer names its exchange, and an answer that no tap saw may
	// come from a cache, from the target itself or from where no tap stands.
	Tapped bool
	// Faults is nil when no relay was in any path. A fault book that was lost
	// is an unsealed empty one.
	Faults *book.Book
}

func (b Books) check() error {
	if b.Client == nil {
		return fmt.Errorf("%w: there is no client book", ErrBooks)
	}
	if err := b.header("client", b.Client, book.ClientBook); err != nil {
		return err
	}
	for i, bk := range b.Backends {
		if bk == nil {
			continue
		}
		if err := b.header(fmt.Sprintf("backend %d", i+1), bk, book.BackendBook); err != nil {
			return err
		}
		if int(bk.Party) != i+1 {
			return fmt.Errorf("%w: the book of backend %d stands in the place of backend %d", ErrBooks, bk.Party, i+1)
		}
	}
	if b.Faults != nil {
		return b.header("faults", b.Faults, book.FaultBook)
	}
	return nil
}

func (b Books) header(name string, bk *book.Book, want book.Kind) error {
	if bk.Kind != want {
		return fmt.Errorf("%w: %s: a book of kind %q", ErrBooks, name, bk.Kind)
	}
	if bk.Run != b.Run {
		return fmt.Errorf("%w: %s: a book of run %x, not %x", ErrBooks, name, bk.Run, b.Run)
	}
	return nil
}

// Dark names the books that are missing or not sealed, and says which: what
// they would have held is not known. It is empty when the evidence is complete.
// The book of a backend that the scenario killed breaks off where it must: what
// it may lack makes exchanges unverified, each for itself.
func (l *Ledger) Dark() []string {
	var dark []string
	note := func(name string, b *book.Book) {
		switch {
		case b == nil:
			dark = append(dark, name+" is missing")
		case b.Torn:
			dark = append(dark, name+" ends within a record")
		case !b.Sealed:
			dark = append(dark, name+" is not sealed")
		}
	}
	note("the client book", l.books.Client)
	for i, b := range l.books.Backends {
		if b == nil || i >= len(l.books.Died) || l.books.Died[i] == 0 {
			note(fmt.Sprintf("the book of backend %d", i+1), b)
		}
	}
	for _, b := range l.books.Broken {
		if b.Died == 0 && b.Backend <= len(l.books.Died) && l.books.Died[b.Backend-1] != 0 {
			dark = append(dark, fmt.Sprintf("an earlier book of backend %d is not sealed", b.Backend))
		}
	}
	if l.books.Faults != nil {
		note("the fault book", l.books.Faults)
	}
	return dark
}
