package expect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gauntlet/fixtures/book"
	"gauntlet/scenarios/expect"
)

func TestAWindowLastsUntilItsFaultLastActed(t *testing.T) {
	var f expect.Facts
	require.Zero(t, f.LastTouch(1), "there was no relay")
	f.Books.Faults = &book.Book{Receipts: []book.Receipt{{Window: 1, Until: 7}, {Window: 2, Until: 9}, {Window: 1, Until: 8}, {Window: 1, Until: 5}}}
	require.EqualValues(t, 8, f.LastTouch(1))
	require.EqualValues(t, 9, f.LastTouch(2))
	require.Zero(t, f.LastTouch(3))
}
