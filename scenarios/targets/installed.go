package targets

// An installed target is a program found on PATH.
type installed struct {
	name, program, version string
	plan                   func(Wants) (*Plan, error)
}

func (i installed) Name() string                    { return i.name }
func (i installed) Version() string                 { return firstLine(i.program, i.version) }
func (i installed) Plan(wants Wants) (*Plan, error) { return i.plan(wants) }
