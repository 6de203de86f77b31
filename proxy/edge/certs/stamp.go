package certs

import (
	"os"
	"slices"
	"time"
)

// A stamp tells one state of a file from another without reading it. Its zero
// value is a file that is not there.
type stamp struct {
	size int64
	at   time.Time
	is   os.FileInfo
}

func stamps(o Options) []stamp {
	list := make([]stamp, 0, 2*len(o.Files)+1)
	for _, f := range o.Files {
		list = append(list, stampOf(f.Cert), stampOf(f.Key))
	}
	if o.ClientCA != "" {
		list = append(list, stampOf(o.ClientCA))
	}
	return list
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{size: info.Size(), at: info.ModTime(), is: info}
}

func same(a, b []stamp) bool {
	return slices.EqualFunc(a, b, func(x, y stamp) bool {
		if x.is == nil || y.is == nil {
			return x.is == nil && y.is == nil
		}
		return x.size == y.size && x.at.Equal(y.at) && os.SameFile(x.is, y.is)
	})
}
