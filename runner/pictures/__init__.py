"""Pictures of pages: what varies between several of one page, and what differs beyond it; needs the extra `pictures`."""
