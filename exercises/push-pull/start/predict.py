import json

with open("model.json") as file:
    model = json.load(file)
print(f"{model['name']}: a petal of 1.4 cm is a", model["classes"][0])
