package otlp

import (
	"bytes"
	"compress/gzip"
)

// zip compresses for speed: the collector is near.
func zip(p []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is a valid one
	_, _ = w.Write(p)                               // a Buffer does not fail
	_ = w.Close()
	return b.Bytes()
}
