// Reads YAML the way Helm does and says what it saw.
//
// Each line of standard input is one case, {"id": any, "text": "…"}; each line of standard output answers one case, in order:
// {"id": any, "json": "…"} with the document as JSON text, or {"id": any, "error": "…"}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"sigs.k8s.io/yaml"
)

type question struct {
	ID   json.RawMessage `json:"id"`
	Text string          `json:"text"`
}

type answer struct {
	ID    json.RawMessage `json:"id"`
	JSON  *string         `json:"json,omitempty"`
	Error string          `json:"error,omitempty"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "yaml reader:", err)
		os.Exit(1)
	}
}

func run(input io.Reader, output io.Writer) error {
	questions := json.NewDecoder(bufio.NewReader(input))
	buffered := bufio.NewWriter(output)
	answers := json.NewEncoder(buffered)
	answers.SetEscapeHTML(false)
	for {
		var asked question
		if err := questions.Decode(&asked); err == io.EOF {
			return buffered.Flush()
		} else if err != nil {
			return fmt.Errorf("cannot read a case: %w", err)
		}
		if err := answers.Encode(read(asked)); err != nil {
			return fmt.Errorf("cannot write an answer: %w", err)
		}
		// Whoever asks one case at a time waits for its answer.
		if err := buffered.Flush(); err != nil {
			return fmt.Errorf("cannot write an answer: %w", err)
		}
	}
}

// read answers one case; a panic of the library is an answer too, as it would be the end of Helm.
func read(asked question) (reply answer) {
	reply.ID = asked.ID
	defer func() {
		if cause := recover(); cause != nil {
			reply.JSON, reply.Error = nil, fmt.Sprintf("panic: %v", cause)
		}
	}()
	converted, err := yaml.YAMLToJSON([]byte(asked.Text))
	if err != nil {
		reply.Error = err.Error()
		return reply
	}
	text := string(converted)
	reply.JSON = &text
	return reply
}
