package evidence

// A Tier says whose books a verdict stands on.
type Tier string

// The tiers.
const (
	ClientBackend Tier = "client + backend" // scripted backends of ours
	ClientTap     Tier = "client + tap"     // real backends behind taps
	ClientOnly    Tier = "client only"      // nobody knows what is behind the target
)

// Limits says in a sentence what cannot be told at the tier, "" for all of it.
func (t Tier) Limits() string {
	switch t {
	case ClientTap:
		return "Evidence of clients and taps: checked are I2, I5 to I7 and whether requests ran twice (I1), and that an answer is the one a tap saw (I4). " +
			"Not checked: whose answer it is by an id within it (I3), headers (I11), since real backends echo nothing; an answer that no tap saw so may come from a cache or from the target itself and is unverified."
	case ClientOnly:
		return "Evidence of clients alone: checked are statuses, times and whether each exchange ended (I2). Not checked: what became of a request behind the target (I1, I3 to I8), for nobody kept a book there."
	case ClientBackend, "":
	}
	return ""
}
