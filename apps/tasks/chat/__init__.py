"""The task of chatbots: from the last turns of a dialogue to the next one."""
