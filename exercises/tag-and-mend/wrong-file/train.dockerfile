FROM python:3.13-slim
WORKDIR /app
COPY requirements.txt .
COPY wheels wheels
RUN pip install --no-cache-dir --root-user-action=ignore -r requirements.txt
COPY train.py flowers.csv ./
CMD ["python", "train.py"]
