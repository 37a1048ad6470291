package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/attune-go/attune/runtime/api/client"
)

// A program lists the active workers that have Python 3.12 or later.
func Example() {
	c, err := client.NewClientWithResponses("https://attune.example.com",
		client.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+os.Getenv("ATTUNE_TOKEN"))
			return nil
		}))
	if err != nil {
		log.Fatal(err)
	}
	list, err := c.ListWorkersWithResponse(context.Background(),
		&client.ListWorkersParams{Has: []string{"python@>=3.12"}, Status: []string{"active"}})
	switch {
	case err != nil:
		log.Fatal(err)
	case list.JSON200 == nil:
		log.Fatal(list.ApplicationproblemJSONDefault.Title)
	}
	for _, worker := range list.JSON200.Items {
		fmt.Println(worker.Id, worker.Name)
	}
}
