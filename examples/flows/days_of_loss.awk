# A JSON document to a JSON object with the number of days in it that were marked.
{ lost += gsub("\"lost\"", "") }
END { print "{\"days_of_loss\": " lost + 0 "}" }
