"""Background texts, generated facts and questions, and batches made from them."""
