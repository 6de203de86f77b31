package render_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gauntlet/reports"
	"gauntlet/reports/matrix"
	"gauntlet/reports/render"
)

var matrixForms = map[string]func(io.Writer, *matrix.Matrix) error{
	"matrix.html": render.MatrixHTML,
	"matrix.md":   render.MatrixMarkdown,
	"matrix.txt": func(w io.Writer, m *matrix.Matrix) error {
		return render.MatrixText(w, m, render.Options{})
	},
}

// sampleMatrix is a matrix of everything a matrix can show.
func sampleMatrix() *matrix.Matrix {
	other := sample()
	other.Accepted = nil
	for i := range other.Scenarios {
		s := &other.Scenarios[i]
		s.Accepted = ""
		for n := range s.Findings {
			s.Findings[n].Unavoidable = s.Findings[n].Verdict == reports.Exposed
		}
		if s.ID == "general/mixed-traffic" || s.ID == "pool/leak-on-cancel" {
			for n := range s.Findings {
				s.Findings[n].Verdict = reports.Pass
			}
		}
	}
	other.Settle()
	m := &matrix.Matrix{
		Seed: 42, Started: time.Date(2026, 11, 20, 9, 30, 5, 0, time.UTC), Seconds: 190, Interrupted: true,
		Command: "gauntlet matrix all --targets edge.yaml,nginx,other --seed 42", Environment: other.Environment,
	}
	m.Fill([]matrix.Column{
		{Target: matrix.Target{Name: "edge", Dir: "edge", Argument: "edge.yaml", Described: true, Configuration: "edge.conf.txt", ConfigSHA256: "9f2c4e0b77aa1d3358c6d1f0a4be9c22"}, Report: sample()},
		{Target: matrix.Target{Name: "nginx", Dir: "nginx", Argument: "nginx", Version: "<1.22> & \x1b[31mmore"}, Report: other},
		{Target: matrix.Target{Name: "other@default", Dir: "other-default", Argument: "other@default", Default: true}},
	})
	return m
}

func TestMatricesLookAsAgreed(t *testing.T) {
	for name, write := range matrixForms {
		t.Run(name, func(t *testing.T) {
			var got, again bytes.Buffer
			require.NoError(t, write(&got, sampleMatrix()))
			require.NoError(t, write(&again, sampleMatrix()))
			require.Equal(t, got.String(), again.String(), "the same matrix gives the same bytes")
			require.NotContains(t, got.String(), "\x1b", "no terminal is driven by what was observed")
			golden := filepath.Join("testdata", name)
			if *update {
				require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got.String())
		})
	}
}

func TestMatricesThatDoNotAddUpAreNotShown(t *testing.T) {
	for name, write := range matrixForms {
		m := sampleMatrix()
		m.Rows[0].Cells = nil
		var b bytes.Buffer
		require.ErrorIs(t, write(&b, m), reports.ErrInvalid, name)
		require.Empty(t, b.Bytes(), name)
		require.ErrorIs(t, write(broken{}, sampleMatrix()), errBroken, name)
	}
}

// A page needs nothing from elsewhere, and its policy forbids it.
func TestAMatrixLoadsNothing(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, render.MatrixHTML(&b, sampleMatrix()))
	for _, word := range []string{"<script", "src=", "@import", "url(", "http://", " style="} {
		require.NotContains(t, b.String(), word)
	}
	require.Contains(t, b.String(), "default-src 'none'")
}
