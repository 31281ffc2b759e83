"""The service finds the person: who is entitled by the records is told so, by a stated law; nobody else sees the list."""
